// Starts an MCP server behind the MCP SDK's authorization router on 127.0.0.1, and says READY on stdout.
// PORT: 0 or absent takes a free one. MODE: own or demo, whose provider. LIMITS=off lifts the SDK's rate limits.
// Ends when stdin is closed.
import { once } from 'node:events';
import { createServer } from 'node:http';
import express from 'express';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { getOAuthProtectedResourceMetadataUrl, mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { demo } from './demo.mjs';
import { own } from './own.mjs';

const build = { own, demo }[process.env.MODE];
if (!build) throw new Error('MODE is own or demo');

// The port first, because the issuer names it.
const listening = createServer();
listening.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
await once(listening, 'listening');
const origin = `http://127.0.0.1:${listening.address().port}`;
const resource = new URL('/mcp', origin);

const { provider, scopes, pages, gate, user } = build(resource);
const limits = process.env.LIMITS === 'off' ? { rateLimit: false } : {};
const app = express().disable('x-powered-by');
app.use(
  mcpAuthRouter({
    provider,
    issuerUrl: new URL(origin),
    resourceServerUrl: resource,
    scopesSupported: scopes,
    authorizationOptions: limits,
    tokenOptions: limits,
    clientRegistrationOptions: limits,
    revocationOptions: limits,
  }),
  pages,
);

// One tool, no sessions: each request has a server of its own, and there is no stream to listen to.
const bearer = requireBearerAuth({
  verifier: provider,
  resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(resource),
  ...gate,
});
app.post('/mcp', bearer, express.json(), async (req, res) => {
  const mcp = new McpServer({ name: 'interop', version: '1.0.0' });
  mcp.registerTool('whoami', { description: 'Says which client asks' }, ({ authInfo }) => ({
    content: [{ type: 'text', text: String(authInfo?.clientId) }],
  }));
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
  res.on('close', () => mcp.close());
  await mcp.connect(transport);
  await transport.handleRequest(req, res, req.body);
});
app.all('/mcp', bearer, (_req, res) => res.status(405).set('Allow', 'POST').end());
listening.on('request', app);

process.stdin.on('end', () => process.exit()).resume();

console.log(`READY ${JSON.stringify({
  issuer: `${origin}/`,
  resource: resource.href,
  scopes,
  user,
})}`);
