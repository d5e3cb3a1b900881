// oidc-provider 9 as its documentation asks for it, before an API that takes nothing on trust.
import express from 'express';
import { exportJWK, generateKeyPair, jwtVerify } from 'jose';
import Provider, { errors } from 'oidc-provider';
import { chatgptUri, clients, common, redirectUri, scopes, user } from './facts.mjs';

const lifetime = 600; // seconds, of every token that opens something

export async function strict(origin) {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  // One API under two names: a resource is the URL that was called (RFC 9728, 3.3), so each route
  // has a document of its own. A token for either opens both, and its scopes decide about the rest.
  const resources = [`${origin}/api/me`, `${origin}/api/write`];

  const provider = new Provider(origin, {
    ...common,
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'interop', alg: 'RS256', use: 'sig' }] },
    clients: [
      { ...clients.public, token_endpoint_auth_method: 'none' },
      { ...clients['public-b'], token_endpoint_auth_method: 'none' },
      { ...clients.confidential, token_endpoint_auth_method: 'client_secret_basic', application_type: 'web' },
    ].map((client) => ({
      application_type: 'native', // any port of the loopback address, as RFC 8252 wants it
      redirect_uris: [redirectUri, chatgptUri],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
      ...client,
    })),
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
    responseTypes: ['code'],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: () => false,
    ttl: {
      AccessToken: lifetime, AuthorizationCode: 60, IdToken: lifetime, RefreshToken: 86400,
      Interaction: 600, Session: 3600, Grant: 86400,
    },
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true },
      revocation: { enabled: true },
      registration: { enabled: true },
      registrationManagement: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resources[0],
        useGrantedResource: () => true,
        getResourceServerInfo(_ctx, resource) {
          if (!resources.includes(resource)) throw new errors.InvalidTarget();
          return {
            scope: Object.values(scopes).join(' '),
            audience: resource,
            accessTokenFormat: 'jwt',
            accessTokenTTL: lifetime,
            jwt: { sign: { alg: 'RS256' } },
          };
        },
      },
    },
  });

  const api = express.Router();
  const metadataPath = (path) => `/.well-known/oauth-protected-resource${path}`;

  function route(path, scope, answer) {
    const document = {
      resource: origin + path,
      authorization_servers: [origin],
      scopes_supported: Object.values(scopes),
      bearer_methods_supported: ['header'],
    };
    const refuse = (res, status, error) => {
      const parameters = { realm: 'api', error, scope, resource_metadata: origin + metadataPath(path) };
      const listed = Object.entries(parameters).filter(([, value]) => value);
      res.status(status)
        .set('WWW-Authenticate', `Bearer ${listed.map(([name, value]) => `${name}="${value}"`).join(', ')}`)
        .json({ error: error ?? 'unauthorized' });
    };
    api.get(metadataPath(path), (_req, res) => res.json(document));
    api.get(path, async (req, res) => {
      const [, token] = /^Bearer +(\S+)$/i.exec(req.get('authorization') ?? '') ?? [];
      if (!token) return refuse(res, 401);
      const expected = { issuer: origin, audience: resources, typ: 'at+jwt', algorithms: ['RS256'] };
      const claims = await jwtVerify(token, publicKey, expected).then(({ payload }) => payload, () => undefined);
      if (!claims) return refuse(res, 401, 'invalid_token');
      if (!String(claims.scope).split(' ').includes(scope)) return refuse(res, 403, 'insufficient_scope');
      res.set('Cache-Control', 'no-store').json(answer(claims));
    });
  }
  route('/api/me', scopes.read, ({ sub, scope }) => ({ sub, name: user.name, scope }));
  route('/api/write', scopes.write, ({ sub }) => ({ sub, written: true }));

  return { provider, api, pageHeaders: { 'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'" } };
}
