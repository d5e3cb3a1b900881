// Starts better-auth with its provider plugin on 127.0.0.1, an API beside it, and says READY on stdout.
// The issuer has a path, as better-auth has it by default. PORT: 0 or absent takes a free one. Ends when stdin is closed.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { oauthProvider, oauthProviderAuthServerMetadata, oauthProviderOpenIdConfigMetadata } from '@better-auth/oauth-provider';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { getAuthTables } from 'better-auth/db';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';
import { api } from './api.mjs';
import { pages, user } from './pages.mjs';

const basePath = '/api/auth';
const scopes = ['notes:read', 'notes:write'];

// The port first, because the issuer names it.
const listening = createServer();
listening.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
await once(listening, 'listening');
const origin = `http://127.0.0.1:${listening.address().port}`;
const issuer = origin + basePath;
const resource = `${origin}/notes`;

const tables = {};
const options = {
  baseURL: origin,
  basePath,
  secret: 'interop secret of thirty-two or more characters',
  database: memoryAdapter(tables),
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  plugins: [
    jwt(),
    oauthProvider({
      loginPage: '/login',
      consentPage: '/consent',
      scopes: ['openid', 'offline_access', ...scopes],
      resources: [resource],
      enforcePerClientResources: false,
      clientRegistrationDefaultResources: [resource],
      allowDynamicClientRegistration: true,
      allowUnauthenticatedClientRegistration: true,
      silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
    }),
  ],
};
for (const table of Object.values(getAuthTables(options))) tables[table.modelName] = [];
const auth = betterAuth(options);
await auth.api.signUpEmail({ body: { email: user.email, password: user.password, name: user.name } });

// RFC 8414 puts the well-known path before the issuer's; OpenID appends it.
const [oauth, openid] = [oauthProviderAuthServerMetadata(auth), oauthProviderOpenIdConfigMetadata(auth)];
const documents = {
  [`/.well-known/oauth-authorization-server${basePath}`]: oauth,
  [`/.well-known/openid-configuration${basePath}`]: openid,
  [`${basePath}/.well-known/openid-configuration`]: openid,
};
const library = toNodeHandler(auth);
const ours = { ...pages(auth, origin, issuer), ...api({ origin, issuer, resource, scopes }) };

listening.on('request', async (req, res) => {
  const url = new URL(req.url, origin);
  try {
    if (documents[url.pathname]) {
      const answer = await documents[url.pathname](new Request(url));
      res.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
    } else {
      await (ours[url.pathname] ?? library)(req, res, url);
    }
  } catch (error) {
    console.error(error);
    res.writeHead(500).end();
  }
});

process.stdin.on('end', () => process.exit()).resume();

console.log(`READY ${JSON.stringify({
  issuer,
  resource,
  scopes,
  user: { name: user.username, password: user.password },
})}`);
