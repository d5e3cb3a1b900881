//! A login page that a script builds, in two steps and within a shadow root: without a browser there is nothing to fill in.

use axum::http::StatusCode;
use axum::response::Response;

use super::answer::page;
use super::store::{Transaction, random};

/// Asks for the user name, then for the password, then posts both.
const SCRIPT: &str = r"
const root = document.getElementById('app').attachShadow({ mode: 'open' });
const ask = (label, type, button, then) => {
  root.replaceChildren();
  const field = document.createElement('input');
  field.type = type;
  field.setAttribute('aria-label', label);
  const press = document.createElement('button');
  press.type = 'button';
  press.textContent = button;
  press.disabled = true;
  field.addEventListener('input', () => { press.disabled = !field.value; });
  press.addEventListener('click', () => { press.disabled = true; setTimeout(() => then(field.value), 60); });
  root.append(field, press);
};
const post = (fields) => {
  const form = document.createElement('form');
  form.method = 'post';
  form.action = '/login';
  for (const [name, value] of Object.entries(fields)) {
    const field = document.createElement('input');
    field.type = 'hidden';
    field.name = name;
    field.value = value;
    form.append(field);
  }
  document.body.append(form);
  form.submit();
};
setTimeout(() => ask('User name', 'text', 'Next', (username) => {
  ask('Password', 'password', 'Sign in', (password) => post({ ...ids, username, password }));
}), 120);
";

/// The login page.
pub(super) fn login(id: &str, transaction: &Transaction, failed: bool) -> Response {
    let nonce = random();
    let alert = if failed { "<p role=\"alert\">The user name or the password is wrong.</p>" } else { "" };
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Welcome</title></head>\n\
         <body>\n{alert}\n<main id=\"app\"></main>\n<script nonce=\"{nonce}\">\n\
         const ids = {{ transaction: '{id}', csrf: '{csrf}' }};{SCRIPT}</script>\n</body>\n</html>\n",
        csrf = transaction.csrf,
    );
    let status = if failed { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    page(status, html, Some(&nonce))
}
