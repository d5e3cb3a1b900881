// One protected resource, which takes nothing on trust, and its document.
import { createRemoteJWKSet, jwtVerify } from 'jose';

export function api({ origin, issuer, resource, scopes }) {
  const { pathname } = new URL(resource);
  const document = `/.well-known/oauth-protected-resource${pathname}`;
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  const [required] = scopes;

  const answer = (res, status, body, headers = {}) =>
    res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
  const refuse = (res, status, error) => {
    const parameters = { error, scope: required, resource_metadata: origin + document };
    const listed = Object.entries(parameters).filter(([, value]) => value);
    const challenge = `Bearer ${listed.map(([name, value]) => `${name}="${value}"`).join(', ')}`;
    answer(res, status, { error: error ?? 'unauthorized' }, { 'WWW-Authenticate': challenge });
  };

  return {
    [document]: (_req, res) => answer(res, 200, {
      resource,
      authorization_servers: [issuer],
      scopes_supported: scopes,
      bearer_methods_supported: ['header'],
    }),
    async [pathname](req, res) {
      const [, token] = /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? '') ?? [];
      if (!token) return refuse(res, 401);
      const claims = await jwtVerify(token, keys, { issuer, audience: resource })
        .then(({ payload }) => payload, () => undefined);
      if (!claims) return refuse(res, 401, 'invalid_token');
      if (!String(claims.scope).split(' ').includes(required)) return refuse(res, 403, 'insufficient_scope');
      answer(res, 200, { sub: claims.sub, scope: claims.scope }, { 'Cache-Control': 'no-store' });
    },
  };
}
