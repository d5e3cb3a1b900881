// The login and the consent page, which better-auth leaves to the application: plain forms that hand the query, which
// the library has signed, to its JSON endpoints, as its client for browsers does.
export const user = { username: 'alice', email: 'alice@example.com', password: 'wonderland', name: 'Alice Liddell' };

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text) => String(text ?? '').replace(/[&<>"]/g, (c) => escapes[c]);

const page = (res, status, title, query, inside) =>
  res.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Referrer-Policy': 'no-referrer',
  }).end(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body>
<h1>${title}</h1><form method="post">
<input type="hidden" name="query" value="${escaped(query)}">${inside}</form></body></html>`);

const login = (res, status, query) => page(res, status, 'Log in', query, `
<label>Name <input name="username" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button type="submit">Log in</button>`);

const consent = (res, query, params) => page(res, 200, 'Allow access?', query, `
<p><strong>${escaped(params.get('client_id'))}</strong> asks for ${escaped(params.get('scope'))}.</p>
<button type="submit" name="answer" value="allow">Allow</button>
<button type="submit" name="answer" value="deny">Deny</button>`);

async function form(req) {
  let text = '';
  for await (const chunk of req) text += chunk;
  return Object.fromEntries(new URLSearchParams(text));
}

export function pages(auth, origin, issuer) {
  // Asks the library with the browser's cookies and sends the browser where it says; false if it says nowhere.
  async function hand(req, res, path, body) {
    const answer = await auth.handler(new Request(issuer + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Origin: origin, Cookie: req.headers.cookie ?? '' },
      body: JSON.stringify(body),
    }));
    const said = await answer.json().catch(() => ({}));
    const to = said?.url ?? said?.redirect_uri ?? answer.headers.get('location');
    if (!to) return false;
    for (const cookie of answer.headers.getSetCookie()) res.appendHeader('Set-Cookie', cookie);
    res.writeHead(303, { Location: to }).end();
    return true;
  }

  return {
    async '/login'(req, res, url) {
      if (req.method !== 'POST') return login(res, 200, url.search.slice(1));
      const { username, password, query } = await form(req);
      const email = username === user.username ? user.email : username;
      const done = await hand(req, res, '/sign-in/email', { email, password, oauth_query: query });
      if (!done) login(res, 401, query);
    },
    async '/consent'(req, res, url) {
      if (req.method !== 'POST') return consent(res, url.search.slice(1), url.searchParams);
      const { answer, query } = await form(req);
      const done = await hand(req, res, '/oauth2/consent', { accept: answer === 'allow', oauth_query: query });
      if (!done) res.writeHead(400).end();
    },
  };
}
