// oidc-provider 8 opened up step by step until every old client works, before an API just as easy-going.
// Version 8 because it is the last one that still knows the PKCE method "plain".
import express from 'express';
import Provider from 'oidc-provider-8';
import { clients, common, redirectUri, scopes, user } from './facts.mjs';

const day = 86400; // seconds

// All that the library has; it knows no response type "token" on its own.
const responseTypes = ['code', 'id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token'];

export async function lax(origin) {
  const provider = new Provider(origin, {
    ...common,
    clients: [
      { ...clients.public, token_endpoint_auth_method: 'none' },
      { ...clients['public-b'], token_endpoint_auth_method: 'none' },
      { ...clients.confidential, token_endpoint_auth_method: 'client_secret_post' },
    ].map((client) => ({
      ...client,
      application_type: 'native', // a "web" client may not use implicit with an http redirect URI
      redirect_uris: [redirectUri],
      response_types: responseTypes,
      grant_types: ['authorization_code', 'refresh_token', 'implicit'],
    })),
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
    responseTypes,
    pkce: { methods: ['S256', 'plain'], required: () => false },
    rotateRefreshToken: false,
    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    acceptQueryParamAccessTokens: true,
    clientBasedCORS: () => true,
    ttl: {
      AccessToken: 7 * day, AuthorizationCode: 600, IdToken: day, RefreshToken: 365 * day,
      Interaction: 3600, Session: 14 * day, Grant: 365 * day,
    },
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true },
      registration: { enabled: true },
      resourceIndicators: { enabled: false },
    },
  });

  const api = express.Router();

  function route(path, scope, answer) {
    api.get(path, async (req, res) => {
      const [, header] = /^Bearer +(\S+)$/i.exec(req.get('authorization') ?? '') ?? [];
      const value = header ?? req.query.access_token;
      const token = typeof value === 'string' ? await provider.AccessToken.find(value) : undefined;
      if (!token) return res.status(401).end();
      if (!token.scopes.has(scope)) return res.status(403).end();
      res.json(answer(token));
    });
  }
  route('/api/me', scopes.read, ({ accountId, scope }) => ({ sub: accountId, name: user.name, scope }));
  route('/api/write', scopes.write, ({ accountId }) => ({ sub: accountId, written: true }));

  return { provider, api, pageHeaders: {} };
}
