//! The pages a person sees: login, consent, errors, and the unusual ways back to the client.

use axum::http::StatusCode;
use axum::response::Response;
use url::form_urlencoded;

use super::answer::page;
use super::redirect_uri;
use super::store::{Transaction, random};

/// Text made harmless in HTML, in attributes too.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )
}

/// What cannot be reported to the client is told to the person.
pub(super) fn error(message: &str) -> Response {
    let body = format!("<p role=\"alert\">{}</p>", escape(message));
    page(StatusCode::BAD_REQUEST, document("That did not work", &body), None)
}

/// A moment in which nothing works.
pub(super) fn try_again() -> Response {
    let body = "<p role=\"alert\">Something went wrong here. Try again in a moment.</p>";
    page(StatusCode::SERVICE_UNAVAILABLE, document("That did not work", body), None)
}

/// Which fields the login page asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    Both,
    Username,
    Password,
}

pub(super) fn login(id: &str, transaction: &Transaction, fields: Fields, failed: bool) -> Response {
    let mut body = String::new();
    if failed {
        body.push_str("<p role=\"alert\">The user name or the password is wrong.</p>\n");
    }
    body.push_str("<form method=\"post\" action=\"/login\">\n");
    body.push_str(&hidden(id, transaction));
    if fields != Fields::Password {
        body.push_str(
            "<p><label>User name <input type=\"text\" name=\"username\" autocomplete=\"username\" required></label></p>\n",
        );
    }
    if fields != Fields::Username {
        body.push_str(
            "<p><label>Password <input type=\"password\" name=\"password\" autocomplete=\"current-password\" required></label></p>\n",
        );
    }
    body.push_str("<p><button type=\"submit\">Sign in</button></p>\n</form>");
    let status = if failed { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    page(status, document("Sign in", &body), None)
}

/// Asks for the one-time code.
pub(super) fn one_time_code(id: &str, transaction: &Transaction, failed: bool) -> Response {
    let alert = if failed { "<p role=\"alert\">The code is wrong, or was used before.</p>\n" } else { "" };
    let body = format!(
        "{alert}<form method=\"post\" action=\"/login\">\n{hidden}\
         <p><label>Code of your authenticator <input type=\"text\" name=\"code\" inputmode=\"numeric\" \
         autocomplete=\"one-time-code\" required></label></p>\n\
         <p><button type=\"submit\">Verify</button></p>\n</form>",
        hidden = hidden(id, transaction),
    );
    let status = if failed { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    page(status, document("One more step", &body), None)
}

/// What the fields of the wary login are called.
pub(super) const WARY_FIELDS: (&str, &str) = ("identifier", "passphrase");
/// What a person answers there.
pub(super) const WARY_ANSWER: &str = "twelve";

/// The login of a server that was given wrong passwords: other names in another order, and a question for people.
pub(super) fn wary_login(id: &str, transaction: &Transaction, failed: bool) -> Response {
    let alert = if failed { "<p role=\"alert\">The user name, the password or the answer is wrong.</p>\n" } else { "" };
    let (name, password) = WARY_FIELDS;
    let body = format!(
        "{alert}<p>There were several attempts that failed. Show that you are a person.</p>\n\
         <form method=\"post\" action=\"/login\">\n{hidden}\
         <p><label>Password <input type=\"password\" name=\"{password}\" required></label></p>\n\
         <p><label>User name <input type=\"text\" name=\"{name}\" autocomplete=\"username\" required></label></p>\n\
         <p><label>How many months has a year? Answer in letters. <input type=\"text\" name=\"challenge\" \
         autocomplete=\"off\" required></label></p>\n\
         <p><button type=\"submit\">Sign in</button></p>\n</form>",
        hidden = hidden(id, transaction),
    );
    let status = if failed { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    page(status, document("Sign in", &body), None)
}

/// Deny comes first in the form, as the choice that a stray return key makes.
pub(super) fn consent(id: &str, transaction: &Transaction, client_name: &str, user: &str) -> Response {
    let request = &transaction.request;
    let scopes: String = request.scope.iter().map(|scope| format!("<li>{}</li>\n", escape(scope))).collect();
    let body = format!(
        "<p><strong>{client}</strong> asks for access to {resource} in the name of {user}.</p>\n\
         <p>It may then:</p>\n<ul>\n{scopes}</ul>\n\
         <p>You will be sent back to <strong>{host}</strong>.</p>\n\
         <form method=\"post\" action=\"/consent\">\n{hidden}\
         <p><button type=\"submit\" name=\"decision\" value=\"deny\">Deny</button>\n\
         <button type=\"submit\" name=\"decision\" value=\"allow\">Allow</button></p>\n</form>",
        client = escape(client_name),
        resource = escape(&request.audience),
        user = escape(user),
        host = escape(redirect_uri::host(&request.redirect_uri)),
        hidden = hidden(id, transaction),
    );
    page(StatusCode::OK, document("Allow access?", &body), None)
}

fn hidden(id: &str, transaction: &Transaction) -> String {
    format!(
        "<input type=\"hidden\" name=\"transaction\" value=\"{id}\">\n\
         <input type=\"hidden\" name=\"csrf\" value=\"{}\">\n",
        transaction.csrf
    )
}

/// Leads on by a meta refresh.
pub(super) fn meta_refresh(location: &str) -> Response {
    let target = escape(location);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>One moment</title>\n\
         <meta http-equiv=\"refresh\" content=\"0;url={target}\"></head>\n\
         <body><p><a href=\"{target}\">Continue</a></p></body>\n</html>\n"
    );
    page(StatusCode::OK, html, None)
}

/// Leads on by a form that a script submits. A GET form replaces the query, so the target's query becomes fields.
pub(super) fn self_submitting(location: &str) -> Response {
    let (action, query) = location.split_once('?').unwrap_or((location, ""));
    let fields: String = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| {
            format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escape(&name), escape(&value))
        })
        .collect();
    let nonce = random();
    let body = format!(
        "<form method=\"get\" action=\"{action}\">\n{fields}<p><button type=\"submit\">Continue</button></p>\n</form>\n\
         <script nonce=\"{nonce}\">document.forms[0].submit();</script>",
        action = escape(action),
    );
    page(StatusCode::OK, document("One moment", &body), Some(&nonce))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped() {
        assert_eq!(escape("<b a=\"1\" c='2'>&"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
    }
}
