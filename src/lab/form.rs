//! Form-encoded parameters, read strictly: what is malformed is refused, never repaired.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};

use super::answer::Refusal;

/// No parameter of OAuth needs more; longer ones are somebody trying.
const LONGEST_VALUE: usize = 8 * 1024;
const LARGEST_BODY: usize = 1024 * 1024;

/// The parameters of a query or a body, in the order sent.
#[derive(Debug)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded` bytes; the error is a sentence.
    pub(super) fn parse(raw: &[u8]) -> Result<Self, String> {
        let mut pairs = Vec::new();
        for piece in raw.split(|&b| b == b'&').filter(|p| !p.is_empty()) {
            let cut = piece.iter().position(|&b| b == b'=');
            let (name, value) = match cut {
                Some(at) => (&piece[..at], &piece[at + 1..]),
                None => (piece, &piece[piece.len()..]),
            };
            let (name, value) = (decode(name)?, decode(value)?);
            if value.len() > LONGEST_VALUE {
                return Err("a parameter is too long".to_owned());
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter; one without a value counts as omitted (OAuth 2.1 section 3.1).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// Every value of a parameter that may be repeated.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// Every name with its value.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The names, as often as they stand there.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Whether a parameter stands twice where it may not: all but `resource` (RFC 8707 section 2).
    pub(super) fn has_duplicates(&self) -> bool {
        self.0
            .iter()
            .enumerate()
            .any(|(place, (name, _))| name != "resource" && self.0[..place].iter().any(|(n, _)| n == name))
    }
}

/// Undoes the form encoding of one name or value.
pub(super) fn decode(raw: &[u8]) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (digits, after) = rest.split_at_checked(2).ok_or("a percent sign without two digits")?;
                rest = after;
                let digit = |b: u8| char::from(b).to_digit(16);
                match (digit(digits[0]), digit(digits[1])) {
                    (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
                    _ => return Err("a percent sign without two digits".to_owned()),
                }
            }
            other => bytes.push(other),
        }
    }
    if bytes.contains(&0) {
        return Err("a NUL character".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "bytes that are not UTF-8".to_owned())
}

/// The parameters of a POST body, or the refusal that its form deserves.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Params, Refusal> {
    if media_type(headers) != "application/x-www-form-urlencoded" {
        return Err(Refusal::invalid_request("the body must be application/x-www-form-urlencoded"));
    }
    let params =
        Params::parse(&bytes(body).await?).map_err(|why| Refusal::invalid_request(format!("malformed body: {why}")))?;
    if params.has_duplicates() {
        return Err(Refusal::invalid_request("a parameter is repeated"));
    }
    Ok(params)
}

/// The whole body, unless it is too large or breaks off.
pub(super) async fn bytes(body: Body) -> Result<axum::body::Bytes, Refusal> {
    to_bytes(body, LARGEST_BODY).await.map_err(|_| {
        let mut refusal = Refusal::invalid_request("the body is too large or broke off");
        refusal.status = StatusCode::PAYLOAD_TOO_LARGE;
        refusal
    })
}

/// The media type of a message, without parameters, in lower case.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_pairs_and_drops_empty_values() {
        let params = Params::parse(b"a=1+2&b=&c=%C3%A9&d").unwrap();
        assert_eq!(params.get("a"), Some("1 2"));
        assert_eq!(params.get("b"), None);
        assert_eq!(params.get("c"), Some("é"));
        assert_eq!(params.get("d"), None);
    }

    #[test]
    fn refuses_what_is_malformed() {
        for raw in ["a=%", "a=%4", "a=%zz", "a=%ff", "a=%00", "a=%+1"] {
            assert!(Params::parse(raw.as_bytes()).is_err(), "{raw}");
        }
        assert!(Params::parse(&[b'a', b'=', 0xff]).is_err());
        let long = format!("a={}", "x".repeat(LONGEST_VALUE + 1));
        assert!(Params::parse(long.as_bytes()).is_err());
    }

    #[test]
    fn sees_duplicates_even_when_empty_but_lets_resource_repeat() {
        assert!(Params::parse(b"a=&a=1").unwrap().has_duplicates());
        let params = Params::parse(b"resource=1&resource=2").unwrap();
        assert!(!params.has_duplicates());
        assert_eq!(params.all("resource").count(), 2);
    }
}
