// The provider of the SDK's examples, which tutorials take over as it is: it asks nobody anything, keeps no refresh
// tokens, and revokes nothing.
import { DemoInMemoryAuthProvider } from '@modelcontextprotocol/sdk/examples/server/demoInMemoryOAuthProvider.js';

export const demo = () => ({
  provider: new DemoInMemoryAuthProvider(),
  scopes: ['mcp:tools'],
  pages: (_req, _res, next) => next(),
  gate: {},
});
