//! Mints tokens that no resource may take: each is the real token with one thing changed, or signed by somebody else.
//!
//! They are made of bytes, not by a library for JWTs: libraries refuse to make what an auditor must send.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::jwt::Jwt;

mod key_forms;
mod own_key;

pub use key_forms::{KeyForm, key_forms};
pub use own_key::OwnKey;

/// A token that was never issued.
#[derive(Clone, PartialEq, Eq)]
pub struct Forged {
    /// What is wrong with it, for the reader.
    pub what: String,
    /// The token. It may hold claims of a real one, so it is no more to be shown than that.
    pub token: String,
}

impl std::fmt::Debug for Forged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Forged").field("what", &self.what).finish_non_exhaustive()
    }
}

impl Forged {
    /// A forged token and what is wrong with it.
    pub fn new(what: impl Into<String>, token: String) -> Self {
        Self { what: what.into(), token }
    }
}

/// A token taken apart, to be put together otherwise.
#[derive(Clone)]
pub struct Parts {
    /// The header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
    /// The header as it was encoded.
    header_part: String,
    /// The claims as they were encoded.
    claims_part: String,
    /// The signature as it was encoded.
    signature_part: String,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("header", &self.header).finish_non_exhaustive()
    }
}

impl Parts {
    /// Takes a token apart; `None` if it is no JWS.
    pub fn of(token: &str) -> Option<Self> {
        let Jwt { header: Value::Object(header), claims: Value::Object(claims) } = Jwt::read(token)? else {
            return None;
        };
        let mut parts = token.split('.').map(str::to_owned);
        Some(Self {
            header,
            claims,
            header_part: parts.next()?,
            claims_part: parts.next()?,
            signature_part: parts.next()?,
        })
    }

    /// `alg`, as stated.
    pub fn alg(&self) -> &str {
        self.header.get("alg").and_then(Value::as_str).unwrap_or_default()
    }

    /// The header with some members changed. Order is kept.
    fn header_with(&self, changes: &[(&str, Value)]) -> String {
        encode(&with(&self.header, changes))
    }

    /// The real header and signature around claims of which one is changed.
    pub fn with_claim(&self, name: &str, value: Value) -> String {
        let claims = encode(&with(&self.claims, &[(name, value)]));
        format!("{}.{claims}.{}", self.header_part, self.signature_part)
    }

    /// The real token with one character of the signature changed, in its middle. The last characters of base64url carry
    /// bits that mean nothing, so it is seen that the bytes differ. `None` where there is no signature to speak of.
    pub fn with_signature_changed(&self) -> Option<String> {
        let at = self.signature_part.len() / 2;
        let changed = with_character_changed(&self.signature_part, at)?;
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        (bytes(&changed)? != bytes(&self.signature_part)?)
            .then(|| format!("{}.{}.{changed}", self.header_part, self.claims_part))
    }

    /// The real claims under `alg`, with these bytes for a signature.
    pub fn signed_with(&self, alg: &str, signature: &[u8]) -> String {
        let header = self.header_with(&[("alg", json!(alg))]);
        format!("{header}.{}.{}", self.claims_part, URL_SAFE_NO_PAD.encode(signature))
    }

    /// The real claims under HS256, HS384 or HS512, keyed with these bytes.
    pub fn keyed_with(&self, alg: HmacAlg, key: &[u8]) -> String {
        let header = self.header_with(&[("alg", json!(alg.as_str()))]);
        mac(alg, key, &format!("{header}.{}", self.claims_part))
    }

    /// The real claims under HS256 keyed with these bytes, the header naming `kid`.
    pub fn keyed_by_kid(&self, kid: &str, key: &[u8]) -> String {
        let header = self.header_with(&[("alg", json!("HS256")), ("kid", json!(kid))]);
        mac(HmacAlg::Hs256, key, &format!("{header}.{}", self.claims_part))
    }

    /// Signed by a key of ours, with some members of header and claims changed.
    pub fn signed_by(&self, key: &OwnKey, header: &[(&str, Value)], claims: &[(&str, Value)]) -> Option<String> {
        let mut changes = vec![("alg", json!(key.alg()))];
        changes.extend(header.iter().cloned());
        let message = format!("{}.{}", self.header_with(&changes), encode(&with(&self.claims, claims)));
        Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes())?)))
    }
}

/// The spellings of `none`, and the signature that is valid for every message where zero is not ruled out
/// (CVE-2022-21449).
pub fn unsigned(real: &Parts) -> Vec<Forged> {
    let mut forged: Vec<Forged> = ["none", "None", "nOnE"]
        .into_iter()
        .map(|alg| Forged::new(format!("alg {alg} and no signature"), real.signed_with(alg, &[])))
        .collect();
    let (alg, length) = match real.alg() {
        "ES384" => ("ES384", 96),
        "ES512" => ("ES512", 132),
        _ => ("ES256", 64),
    };
    let psychic = real.signed_with(alg, &vec![0; length]);
    forged.push(Forged::new(format!("alg {alg} and a signature of zeros"), psychic));
    forged
}

/// Claims changed under the old signature, and a signature with one character changed.
pub fn tampered(real: &Parts) -> Vec<Forged> {
    let text = |name: &str| real.claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let later = real.claims.get("exp").and_then(Value::as_i64).unwrap_or(1_800_000_000) + 315_360_000;
    let scope_name = if real.claims.contains_key("scp") { "scp" } else { "scope" };
    let wider = match real.claims.get(scope_name) {
        Some(Value::Array(scopes)) => Value::Array(scopes.iter().cloned().chain([json!("oaudit:admin")]).collect()),
        _ => json!(format!("{} oaudit:admin", text(scope_name)).trim_start()),
    };
    // The resource stays among the audience, or the refusal would prove nothing about the signature.
    let audience = match real.claims.get("aud") {
        Some(Value::Array(several)) => several.iter().cloned().chain([json!("https://other.oaudit.invalid")]).collect(),
        Some(one) => vec![one.clone(), json!("https://other.oaudit.invalid")],
        None => vec![json!("https://other.oaudit.invalid")],
    };
    let mut forged = vec![
        Forged::new("exp ten years later", real.with_claim("exp", json!(later))),
        Forged::new(format!("{scope_name} with one scope more"), real.with_claim(scope_name, wider)),
        Forged::new("another sub", real.with_claim("sub", json!("oaudit-somebody-else"))),
        Forged::new("aud with one more audience", real.with_claim("aud", Value::Array(audience))),
    ];
    forged.extend(
        real.with_signature_changed().map(|token| Forged::new("one character changed inside the signature", token)),
    );
    forged
}

/// An opaque token with one character changed, near its start, in its middle and near its end.
pub fn changed_opaque(token: &str) -> Vec<Forged> {
    let length = token.trim_end_matches('=').len();
    // Not the very last: in base64url it may carry bits that mean nothing.
    [("start", 1), ("middle", length / 2), ("end", length.saturating_sub(3))]
        .into_iter()
        .filter_map(|(place, at)| {
            let changed = with_character_changed(token, at)?;
            Some(Forged::new(format!("one character changed, {place} of the token"), changed))
        })
        .collect()
}

/// Another letter for the first letter or digit at or after `at`, another in either case: the token may be hexadecimal.
fn with_character_changed(text: &str, at: usize) -> Option<String> {
    let at = at + text.get(at..)?.find(|c: char| c.is_ascii_alphanumeric())?;
    let old = text.as_bytes()[at];
    let new = if old.eq_ignore_ascii_case(&b'a') { "b" } else { "a" };
    Some(format!("{}{new}{}", &text[..at], &text[at + 1..]))
}

/// A symmetric algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HmacAlg {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

impl HmacAlg {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Hs256, Self::Hs384, Self::Hs512];

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    fn algorithm(self) -> hmac::Algorithm {
        match self {
            Self::Hs256 => hmac::HMAC_SHA256,
            Self::Hs384 => hmac::HMAC_SHA384,
            Self::Hs512 => hmac::HMAC_SHA512,
        }
    }
}

fn mac(alg: HmacAlg, key: &[u8], message: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(alg.algorithm(), key), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

fn with(members: &Map<String, Value>, changes: &[(&str, Value)]) -> Map<String, Value> {
    let mut members = members.clone();
    for (name, value) in changes {
        members.insert((*name).to_owned(), value.clone());
    }
    members
}

fn encode(members: &Map<String, Value>) -> String {
    URL_SAFE_NO_PAD.encode(Value::Object(members.clone()).to_string())
}

#[cfg(test)]
mod tests;
