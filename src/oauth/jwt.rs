//! A tolerant reader of compact JWS tokens: takes apart whatever has the shape, verifies nothing.
//!
//! `jsonwebtoken` refuses unknown algorithms already when it reads a header, and an auditor must be able to look at
//! exactly those.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The two readable parts of a JWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Jwt {
    /// The JOSE header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
}

impl Jwt {
    /// Reads a token; `None` if it is not three base64url parts with JSON objects in the first two.
    pub fn read(token: &str) -> Option<Self> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, _] = parts.as_slice() else { return None };
        let object = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object)
        };
        Some(Self { header: object(header)?, claims: object(claims)? })
    }

    /// The header alone, for tokens whose claims are encrypted.
    pub fn header_of(token: &str) -> Option<Value> {
        let bytes = URL_SAFE_NO_PAD.decode(token.split_once('.')?.0.trim_end_matches('=')).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object)
    }

    /// The scopes of `scope` (RFC 9068 section 2.2.3) or `scp` (text or array), if either is there.
    pub fn scope(&self) -> Option<String> {
        match self.claims.get("scope").or_else(|| self.claims.get("scp"))? {
            Value::String(text) => Some(text.clone()),
            Value::Array(items) => Some(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")),
            _ => None,
        }
    }

    /// Whether it says that it is an access token in the form of RFC 9068 (section 2.1).
    pub fn is_at_jwt(&self) -> bool {
        let typ = self.header.get("typ").and_then(Value::as_str).unwrap_or_default();
        // RFC 7515 section 4.1.9: a media type in any case, its prefix left out.
        ["at+jwt", "application/at+jwt"].iter().any(|t| typ.eq_ignore_ascii_case(t))
    }

    /// `exp`, seconds since 1970.
    pub fn expires_at(&self) -> Option<i64> {
        let exp = self.claims.get("exp")?;
        exp.as_i64().or_else(|| exp.as_f64().map(|f| f as i64))
    }
}

/// What an access token is, as far as anybody can tell from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Signed: three parts that can be read.
    Jws,
    /// Encrypted: five parts with a readable header (RFC 7516).
    Jwe,
    /// Anything else.
    Opaque,
}

impl TokenKind {
    /// Looks at a token.
    pub fn of(token: &str) -> Self {
        match token.split('.').count() {
            3 if Jwt::read(token).is_some() => Self::Jws,
            5 if Jwt::header_of(token).is_some() => Self::Jwe,
            _ => Self::Opaque,
        }
    }

    /// For a reader.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Jws => "a signed JWT",
            Self::Jwe => "an encrypted JWT",
            Self::Opaque => "opaque",
        }
    }

    /// For a reader, of all tokens of a server.
    pub const fn describe_all(self) -> &'static str {
        match self {
            Self::Jws => "signed JWTs",
            Self::Jwe => "encrypted JWTs",
            Self::Opaque => "opaque",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7519_is_read() {
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
                     eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
                     dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let jwt = Jwt::read(token).unwrap();
        assert_eq!(jwt.header["alg"], "HS256");
        assert_eq!(jwt.claims["iss"], "joe");
        assert_eq!(jwt.expires_at(), Some(1_300_819_380));
    }

    #[test]
    fn what_is_no_jwt_is_none() {
        for token in ["", "abc", "a.b", "a.b.c", "e30.W10.x", "..", "e30.e30.x.y.z"] {
            assert_eq!(Jwt::read(token), None, "{token}");
        }
        assert!(Jwt::read("e30.e30.").is_some());
        assert_eq!(TokenKind::of("e30.e30.x"), TokenKind::Jws);
        assert_eq!(TokenKind::of("e30.a.b.c.d"), TokenKind::Jwe);
        assert_eq!(TokenKind::of("a.b.c.d.e"), TokenKind::Opaque);
    }
}
