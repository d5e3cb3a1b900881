//! What an access token is said to be good for: by its own claims where it can be read, else by introspection.

use super::introspection::{Introspected, Introspection, audience};
use super::jwt::Jwt;
use super::scope::ScopeSet;
use crate::wire::{Trouble, Wire};

/// What is known of an access token.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Described {
    /// `aud`, if it is stated.
    pub audience: Option<Vec<String>>,
    /// The scopes, if they are stated.
    pub scope: Option<ScopeSet>,
}

impl Described {
    /// What a token says by itself.
    pub fn by_claims(token: &str) -> Self {
        let Some(jwt) = Jwt::read(token) else { return Self::default() };
        Self { audience: audience(&jwt.claims).map(owned), scope: jwt.scope().map(|scope| ScopeSet::parse(&scope)) }
    }

    /// What the authorization server says of it.
    pub fn by_introspection(said: &Introspected) -> Self {
        Self { audience: said.audience().map(owned), scope: said.scope() }
    }

    /// What either of them says. The server is asked only for what the token does not say.
    pub async fn of(wire: &Wire, token: &str, introspection: Option<&Introspection>) -> Result<Self, Trouble> {
        let mut known = Self::by_claims(token);
        if let (Some(introspection), true) = (introspection, known.audience.is_none() || known.scope.is_none()) {
            let said = Self::by_introspection(&introspection.ask(wire, token).await?);
            known.audience = known.audience.or(said.audience);
            known.scope = known.scope.or(said.scope);
        }
        Ok(known)
    }

    /// Whether the audience is stated and names one of these.
    pub fn is_for_any<'a>(&self, own: impl IntoIterator<Item = &'a str>) -> Option<bool> {
        let audience = self.audience.as_ref()?;
        Some(own.into_iter().any(|own| audience.iter().any(|aud| aud == own)))
    }

    /// The audience, for a reader.
    pub fn audience_text(&self) -> String {
        match &self.audience {
            Some(audience) => format!("\"{}\"", audience.join("\", \"")),
            None => "nothing that could be read".into(),
        }
    }
}

fn owned(audience: Vec<&str>) -> Vec<String> {
    audience.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    #[test]
    fn a_readable_token_speaks_for_itself() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let token = format!("{}.{}.x", part(r#"{"alg":"ES256"}"#), part(r#"{"aud":["a","b"],"scope":"x y"}"#));
        let known = Described::by_claims(&token);
        assert_eq!(known.scope.as_ref().map(ScopeSet::to_string), Some("x y".into()));
        assert_eq!(known.is_for_any(["c", "b"]), Some(true));
        assert_eq!(known.is_for_any(["c"]), Some(false));
        assert_eq!(known.audience_text(), r#""a", "b""#);
        assert_eq!(Described::by_claims("opaque").is_for_any(["c"]), None);
    }
}
