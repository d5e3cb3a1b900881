//! Reads in a request what it may have the server create, and for whom.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::Value;
use url::form_urlencoded;

use super::{Sender, SenderAuth};
use crate::oauth::secret::Secret;
use crate::wire::Request;

/// What a request may have the server create.
pub(super) enum Creates {
    Client,
    Tokens(Vec<(String, String)>),
}

impl Creates {
    pub(super) fn of(request: &Request) -> Option<Self> {
        let body = request.body.as_ref().filter(|_| [Method::POST, Method::PUT].contains(&request.method))?;
        if let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(body) {
            return members.contains_key("redirect_uris").then_some(Self::Client);
        }
        let form: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        form.iter().any(|(name, _)| name == "grant_type").then_some(Self::Tokens(form))
    }
}

impl Sender {
    /// Who says in a request who he is.
    pub(super) fn of(request: &Request, form: &[(String, String)]) -> Option<Self> {
        let sent = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        let basic = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization")).and_then(
            |(_, value)| {
                let (scheme, credentials) = std::str::from_utf8(value).ok()?.split_once(' ')?;
                let decoded = STANDARD.decode(credentials.trim()).ok()?;
                let decoded = String::from_utf8(decoded).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
                let (id, secret) = decoded.split_once(':')?;
                let plain = |text: &str| {
                    let pair = format!("v={text}");
                    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, v)| v.into_owned()).unwrap_or_default()
                };
                Some((plain(id), plain(secret)))
            },
        );
        if let Some((id, secret)) = basic {
            return Some(Self { id, auth: SenderAuth::Basic, secret: Some(Secret::new(secret)) });
        }
        let id = sent("client_id").filter(|id| !id.is_empty())?;
        let secret = sent("client_secret").map(Secret::new);
        let auth = match (&secret, sent("client_assertion")) {
            (_, Some(_)) => SenderAuth::Signed,
            (Some(_), None) => SenderAuth::Post,
            (None, None) => SenderAuth::None,
        };
        Some(Self { id, auth, secret })
    }
}
