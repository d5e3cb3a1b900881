// Starts oidc-provider and the API behind it on 127.0.0.1, and says READY on stdout.
// PORT: 0 or absent takes a free one. MODE: strict or lax. Ends when stdin is closed.
import { once } from 'node:events';
import { createServer } from 'node:http';
import express from 'express';
import { clients, redirectUri, scopes, user } from './facts.mjs';
import { lax } from './lax.mjs';
import { pages } from './pages.mjs';
import { strict } from './strict.mjs';

const build = { strict, lax }[process.env.MODE];
if (!build) throw new Error('MODE is strict or lax');

// The port first, because the issuer names it.
const server = createServer();
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${server.address().port}`;

const { provider, api, pageHeaders } = await build(origin);
const app = express().disable('x-powered-by');
app.use(api, pages(provider, pageHeaders), provider.callback());
server.on('request', app);

process.stdin.on('end', () => process.exit()).resume();

console.log(`READY ${JSON.stringify({
  issuer: origin,
  resource: `${origin}/api/me`,
  write: `${origin}/api/write`,
  redirect_uri: redirectUri,
  scopes: Object.values(scopes),
  user: { name: user.id, password: user.password },
  clients,
})}`);
