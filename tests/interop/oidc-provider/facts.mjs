// What both modes agree on: who may log in, which clients exist, which scopes the API knows.

export const user = { id: 'alice', password: 'wonderland', name: 'Alice Liddell' };

export const redirectUri = 'http://127.0.0.1:8765/callback';

// Where ChatGPT comes back to, if the server sends iss.
export const chatgptUri = 'https://chatgpt.com/connector_platform_oauth_redirect';

export const clients = {
  public: { client_id: 'interop-public' },
  'public-b': { client_id: 'interop-public-b' },
  confidential: {
    client_id: 'interop-confidential',
    client_secret: 'interop-confidential-secret-of-32-or-more-characters',
  },
};

export const scopes = { read: 'api:read', write: 'api:write' };

// The configuration that does not differ: one account, plain pages for login and consent.
export const common = {
  cookies: { keys: ['interop cookie key'] },
  scopes: ['openid', 'offline_access', 'profile', ...Object.values(scopes)],
  claims: { openid: ['sub'], profile: ['name'] },
  findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId, name: user.name }) }),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
};
