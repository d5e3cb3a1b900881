//! The answer of a revocation endpoint (RFC 7009 section 2.2): what it says, not what it did.

use serde_json::Value;

use crate::wire::Reply;

/// What a revocation endpoint says to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoked {
    /// 2xx: the token is revoked, or was not good anyway.
    Done,
    /// `unsupported_token_type`: tokens of this kind cannot be revoked.
    Unsupported,
    /// The client is refused.
    Denied(String),
    /// Neither.
    Unclear(String),
}

impl Revoked {
    /// Reads an answer.
    pub fn read(reply: &Reply) -> Self {
        let error = reply.json().and_then(|j| j.get("error").and_then(Value::as_str).map(str::to_owned));
        let said = format!("{}{}", reply.status, error.as_ref().map(|e| format!(" {e}")).unwrap_or_default());
        match (reply.status, error.as_deref()) {
            (200..300, None) => Self::Done,
            // Section 2.2.1 names no status; servers choose 400 and 503.
            (400.., Some("unsupported_token_type")) => Self::Unsupported,
            // A 403 that names no error may be a guard's before the server, and says nothing about the client.
            (400..500, Some("invalid_client" | "unauthorized_client")) | (401, _) | (403, Some(_)) => {
                Self::Denied(said)
            }
            _ => Self::Unclear(format!("the revocation request was answered with {said}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    #[test]
    fn only_what_is_named_is_read() {
        let read = |status, body| Revoked::read(&reply(status, &[], body));
        assert_eq!(read(200, ""), Revoked::Done);
        assert_eq!(read(400, r#"{"error":"unsupported_token_type"}"#), Revoked::Unsupported);
        assert_eq!(read(503, r#"{"error":"unsupported_token_type"}"#), Revoked::Unsupported);
        assert_eq!(read(401, ""), Revoked::Denied("401".into()));
        assert_eq!(read(400, r#"{"error":"invalid_client"}"#), Revoked::Denied("400 invalid_client".into()));
        assert_eq!(read(403, r#"{"error":"access_denied"}"#), Revoked::Denied("403 access_denied".into()));
        for (status, body) in [
            (403, "<h1>Forbidden</h1>"),
            (503, ""),
            (302, ""),
            (200, r#"{"error":"x"}"#),
            (400, r#"{"error":"invalid_request"}"#),
        ] {
            assert!(matches!(read(status, body), Revoked::Unclear(_)), "{status} {body}");
        }
    }
}
