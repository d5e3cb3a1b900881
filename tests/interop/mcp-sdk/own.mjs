// A provider of ours, careful where the SDK leaves it to whoever writes one: a login and a consent page, rotation
// that notices an old token, revocation of whole grants, tokens for this resource only.
import { randomBytes } from 'node:crypto';
import express from 'express';
import {
  InvalidGrantError, InvalidScopeError, InvalidTargetError, InvalidTokenError,
} from '@modelcontextprotocol/sdk/server/auth/errors.js';

const user = { name: 'alice', password: 'wonderland' };
const scopes = ['notes:read', 'notes:write'];
const lifetime = 600; // seconds
const fresh = () => randomBytes(32).toString('base64url');
const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text) => String(text ?? '').replace(/[&<>"]/g, (c) => escapes[c]);

export function own(resource) {
  const clients = new Map();
  const asked = new Map(); // requests that wait for the person
  const sessions = new Set();
  const codes = new Map();
  const tokens = new Map(); // both kinds

  const demand = (holds, error, why) => {
    if (!holds) throw new error(why);
  };
  const rightTarget = (named) =>
    demand(!named || named.href === resource.href, InvalidTargetError, 'this server guards one resource');
  const known = (map, key, client) => {
    const entry = map.get(key);
    demand(entry?.grant.client === client.client_id && !entry.grant.ended, InvalidGrantError, 'it is not valid');
    return entry;
  };
  // What may be used once only: a second use ends all that came of it.
  const useOnce = (entry) => {
    if (entry.used) entry.grant.ended = true;
    demand(!entry.used, InvalidGrantError, 'it was used before');
  };
  function issue(grant, granted) {
    const [access, refresh] = [fresh(), fresh()];
    const expires = Math.floor(Date.now() / 1000) + lifetime;
    tokens.set(access, { grant, kind: 'access', scopes: granted, expires });
    tokens.set(refresh, { grant, kind: 'refresh' });
    return {
      access_token: access, token_type: 'Bearer', expires_in: lifetime, refresh_token: refresh, scope: granted.join(' '),
    };
  }

  const provider = {
    clientsStore: {
      getClient: (id) => clients.get(id),
      registerClient: (client) => (clients.set(client.client_id, client), client),
    },

    async authorize(client, params, res) {
      rightTarget(params.resource);
      demand(params.scopes.every((scope) => scopes.includes(scope)), InvalidScopeError, 'there is no such scope');
      const id = fresh();
      asked.set(id, { client, params });
      res.redirect(303, `/ask/${id}`);
    },

    async challengeForAuthorizationCode(client, code) {
      return known(codes, code, client).challenge;
    },

    async exchangeAuthorizationCode(client, code, _verifier, redirectUri, target) {
      const entry = known(codes, code, client);
      demand(redirectUri === undefined || redirectUri === entry.redirectUri, InvalidGrantError, 'another redirect_uri');
      demand(entry.expires > Date.now(), InvalidGrantError, 'it has expired');
      rightTarget(target);
      useOnce(entry);
      entry.used = true;
      return issue(entry.grant, entry.grant.scopes);
    },

    async exchangeRefreshToken(client, token, wanted, target) {
      const entry = known(tokens, token, client);
      demand(entry.kind === 'refresh', InvalidGrantError, 'it is not valid');
      useOnce(entry);
      rightTarget(target);
      const narrowed = wanted ?? entry.grant.scopes;
      demand(narrowed.every((scope) => entry.grant.scopes.includes(scope)), InvalidScopeError, 'it was not granted');
      entry.used = true;
      return issue(entry.grant, narrowed);
    },

    async verifyAccessToken(token) {
      const entry = tokens.get(token);
      const good = entry?.kind === 'access' && !entry.grant.ended;
      demand(good, InvalidTokenError, 'it is not valid');
      return { token, clientId: entry.grant.client, scopes: entry.scopes, expiresAt: entry.expires, resource };
    },

    async revokeToken(client, { token }) {
      const entry = tokens.get(token);
      if (entry?.grant.client !== client.client_id) return;
      if (entry.kind === 'refresh') entry.grant.ended = true;
      tokens.delete(token);
    },
  };

  const page = (title, path, inside) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body>
<h1>${title}</h1><form method="post" action="${path}">${inside}</form></body></html>`;
  const login = (path) => page('Log in', path, `
<label>Name <input name="username" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button type="submit">Log in</button>`);
  const consent = (path, { client, params }) => page('Allow access?', path, `
<p><strong>${escaped(client.client_name)}</strong> at ${escaped(new URL(params.redirectUri).host)}
asks for ${escaped(params.scopes.join(' '))}.</p>
<button type="submit" name="answer" value="allow">Allow</button>
<button type="submit" name="answer" value="deny">Deny</button>`);
  const session = (req) => /(?:^|; )session=([^;]+)/.exec(req.get('cookie') ?? '')?.[1];

  const pages = express.Router();
  pages.use('/ask/:id', express.urlencoded({ extended: false }), (req, res) => {
    res.set({
      'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
    });
    const { id } = req.params;
    const path = `/ask/${id}`;
    const request = asked.get(id);
    if (!request) return res.status(400).send('There is no such request.');
    if (!sessions.has(session(req))) {
      if (req.method !== 'POST') return res.send(login(path));
      const right = req.body.username === user.name && req.body.password === user.password;
      if (!right) return res.status(401).send(login(path));
      const key = fresh();
      sessions.add(key);
      return res.cookie('session', key, { httpOnly: true, sameSite: 'lax' }).redirect(303, path);
    }
    if (req.method !== 'POST') return res.send(consent(path, request));
    asked.delete(id);
    const { client, params } = request;
    const back = new URL(params.redirectUri);
    if (req.body.answer === 'allow') {
      const code = fresh();
      const granted = params.scopes.length ? params.scopes : scopes.slice(0, 1);
      const grant = { client: client.client_id, scopes: granted, ended: false };
      const { codeChallenge: challenge, redirectUri } = params;
      codes.set(code, { grant, challenge, redirectUri, expires: Date.now() + 60_000, used: false });
      back.searchParams.set('code', code);
    } else {
      back.searchParams.set('error', 'access_denied');
    }
    if (params.state !== undefined) back.searchParams.set('state', params.state);
    res.redirect(303, back.href);
  });

  return { provider, scopes, pages, user, gate: { requiredScopes: ['notes:read'], expectedResource: resource } };
}
