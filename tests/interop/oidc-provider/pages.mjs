// The two pages a person sees, as plain forms: log in, then allow or deny.
import express from 'express';
import { user } from './facts.mjs';

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

// Markup whose inserted values are always escaped.
const html = (parts, ...values) =>
  String.raw({ raw: parts }, ...values.map((value) => String(value ?? '').replace(/[&<>"']/g, (c) => escapes[c])));

const login = (action, complaint) => html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Log in</title></head><body>
<h1>Log in</h1>
<p role="alert">${complaint}</p>
<form method="post" action="${action}">
  <label>Name <input name="username" autocomplete="username" required></label>
  <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <button type="submit">Log in</button>
</form></body></html>`;

const consent = (action, client, params) => html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Allow access?</title></head><body>
<h1>Allow access?</h1>
<p><strong>${client.clientName ?? client.clientId}</strong> wants to act for you.</p>
<dl>
  <dt>You will be sent back to</dt><dd>${new URL(params.redirect_uri).host}</dd>
  <dt>It asks for</dt><dd>${params.scope}</dd>
</dl>
<form method="post" action="${action}">
  <button type="submit" name="answer" value="allow">Allow</button>
  <button type="submit" name="answer" value="deny">Deny</button>
</form></body></html>`;

// Grants all that the consent prompt found missing, on top of what this client was granted before.
async function granted(provider, { prompt, params, session, grantId }) {
  const known = grantId && (await provider.Grant.find(grantId));
  const grant = known || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, missing] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, missing.join(' '));
  }
  return { consent: { grantId: await grant.save() } };
}

// `headers` go with every page: what the library leaves to whoever writes the pages.
export function pages(provider, headers) {
  const router = express.Router();
  const path = '/interaction/:uid';

  router.use(path, (_req, res, next) => {
    res.set(headers);
    next();
  });

  router.get(path, async (req, res) => {
    const { prompt, params } = await provider.interactionDetails(req, res);
    const client = await provider.Client.find(params.client_id);
    res.send(prompt.name === 'login' ? login(req.path) : consent(req.path, client, params));
  });

  router.post(path, express.urlencoded({ extended: false }), async (req, res) => {
    const interaction = await provider.interactionDetails(req, res);
    const { username, password, answer } = req.body;
    let result;
    if (interaction.prompt.name === 'login') {
      if (username !== user.id || password !== user.password) {
        return res.status(401).send(login(req.path, 'That is not the right name and password.'));
      }
      result = { login: { accountId: user.id } };
    } else if (answer === 'allow') {
      result = await granted(provider, interaction);
    } else {
      result = { error: 'access_denied', error_description: 'the person said no' };
    }
    await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: !result.error });
  });

  return router;
}
