//! Codes, token sets and the token endpoint.
//!
//! A [`Code`] is redeemed once: redeeming consumes it and yields a [`SpentCode`], and only that can be replayed. Using
//! a code twice by mistake does not compile.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::answer::Returned;
use super::client::Client;
use super::jwt::Jwt;
use super::pkce::Verifier;
use super::request::AuthorizationRequest;
use super::scope::ScopeSet;
use super::secret::Secret;
use crate::wire::{ExchangeId, Reply, Request, Trouble, Wire};

mod answer;

pub use answer::{OAuthError, TokenAnswer};

/// The parameters of a token request.
#[derive(Debug, Clone, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// A form of these pairs.
    pub fn of<const N: usize>(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect())
    }

    /// Sets a parameter, replacing the value it had.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.remove(name);
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// Leaves a parameter out.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.0.retain(|(n, _)| n != name);
        self
    }

    /// The pairs.
    pub fn pairs(self) -> Vec<(String, String)> {
        self.0
    }
}

/// What all tokens of one authorization have in common.
#[derive(Debug)]
pub struct Grant {
    /// The token endpoint.
    pub token_endpoint: String,
    /// The client it was given to.
    pub client: Arc<Client>,
    /// `redirect_uri` of the authorization request, if one was sent.
    pub redirect_uri: Option<String>,
    /// The scopes asked for.
    pub requested_scope: ScopeSet,
    /// `resource` of the authorization request, if one was sent.
    pub resource: Option<String>,
    /// The youngest refresh token of it.
    pub latest: Latest,
}

/// The youngest refresh token of a grant, whoever got it: of one grant that many checks share, the others are used up.
#[derive(Debug, Default)]
pub struct Latest(Mutex<Option<Secret>>);

impl Latest {
    /// The token.
    pub fn get(&self) -> Option<Secret> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, token: &Secret) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
    }
}

impl From<Option<Secret>> for Latest {
    fn from(token: Option<Secret>) -> Self {
        Self(Mutex::new(token))
    }
}

impl Grant {
    /// A token request of this client.
    fn request(&self, form: Form) -> Request {
        self.client.form(&self.token_endpoint, form.pairs())
    }
}

/// An authorization code that was not used yet, with all that its redemption takes.
#[derive(Debug)]
#[must_use = "a code that is not redeemed was asked for in vain"]
pub struct Code {
    value: Secret,
    /// The request that it answers.
    pub request: AuthorizationRequest,
    /// What the redirect brought.
    pub returned: Returned,
    grant: Arc<Grant>,
}

/// A code that has been sent to the token endpoint.
#[derive(Debug)]
pub struct SpentCode {
    form: Form,
    grant: Arc<Grant>,
}

impl Code {
    pub(super) fn new(value: Secret, request: AuthorizationRequest, grant: Arc<Grant>, returned: Returned) -> Self {
        Self { value, request, returned, grant }
    }

    /// The verifier of the request.
    pub fn verifier(&self) -> &Verifier {
        &self.request.verifier
    }

    /// The ordinary token request (RFC 6749 section 4.1.3, RFC 7636 section 4.5, RFC 8707 section 2.2).
    fn form(&self) -> Form {
        let mut form = Form::of([("grant_type", "authorization_code"), ("code", self.value.expose())]);
        if let Some(uri) = &self.grant.redirect_uri {
            form.set("redirect_uri", uri);
        }
        if let Some(resource) = &self.grant.resource {
            form.set("resource", resource);
        }
        form.set("code_verifier", self.request.verifier.expose());
        form
    }

    /// Redeems it as the ordinary client does.
    pub async fn redeem(self, wire: &Wire) -> Result<(TokenAnswer, SpentCode), Trouble> {
        self.redeem_with(wire, |_| {}).await
    }

    /// Redeems it as the ordinary client does, for a reader who wants the headers of the answer as well.
    pub async fn redeem_seen(self, wire: &Wire) -> Result<(TokenAnswer, Reply), Trouble> {
        let reply = wire.send(self.grant.request(self.form())).await?;
        Ok((noted(wire, TokenAnswer::read(&reply, &self.grant)), reply))
    }

    /// Redeems it by a request with one thing changed. The spent code remembers the right request.
    pub async fn redeem_with(
        self,
        wire: &Wire,
        alter: impl FnOnce(&mut Form),
    ) -> Result<(TokenAnswer, SpentCode), Trouble> {
        let right = self.form();
        let mut form = right.clone();
        alter(&mut form);
        let answer = ask(wire, &self.grant, form).await?;
        Ok((answer, SpentCode { form: right, grant: self.grant }))
    }

    /// Redeems it by the right request, sent by somebody else: another client, or nobody who says who he is.
    pub async fn redeem_by(self, wire: &Wire, sender: Option<&Client>) -> Result<(TokenAnswer, SpentCode), Trouble> {
        let spent = SpentCode { form: self.form(), grant: self.grant };
        Ok((spent.replay_by(wire, sender).await?, spent))
    }

    /// Redeems it by the right request, so many times at one instant.
    pub async fn redeem_together(self, wire: &Wire, times: usize) -> Vec<Result<TokenAnswer, Trouble>> {
        together(wire, &self.grant, &self.form(), times).await
    }
}

impl SpentCode {
    /// Sends the right request once more.
    pub async fn replay(&self, wire: &Wire) -> Result<TokenAnswer, Trouble> {
        self.replay_with(wire, |_| {}).await
    }

    /// Sends the request once more with one thing changed.
    pub async fn replay_with(&self, wire: &Wire, alter: impl FnOnce(&mut Form)) -> Result<TokenAnswer, Trouble> {
        let mut form = self.form.clone();
        alter(&mut form);
        ask(wire, &self.grant, form).await
    }

    /// Sends the right request once more, as somebody else.
    pub async fn replay_by(&self, wire: &Wire, sender: Option<&Client>) -> Result<TokenAnswer, Trouble> {
        ask_by(wire, &self.grant, self.form.clone(), sender).await
    }
}

/// A successful answer of the token endpoint. Not `Clone`: who holds it may destroy it.
#[derive(Debug)]
pub struct TokenSet {
    /// `access_token`.
    pub access_token: Secret,
    /// `refresh_token`.
    pub refresh_token: Option<Secret>,
    /// Every member, as received.
    pub members: Value,
    /// The exchange that brought it.
    pub exchange: ExchangeId,
    /// The authorization behind it.
    pub grant: Arc<Grant>,
}

impl TokenSet {
    /// `scope`, as stated.
    pub fn stated_scope(&self) -> Option<ScopeSet> {
        self.members.get("scope").and_then(Value::as_str).map(ScopeSet::parse)
    }

    /// What the token is good for: by its own claims if it can be read, else as stated, else as `asked` (an answer
    /// without `scope` says "as requested", RFC 6749 section 5.1).
    pub fn effective_scope(&self, asked: &ScopeSet) -> ScopeSet {
        let claimed = Jwt::read(self.access_token.expose()).and_then(|jwt| jwt.scope());
        self.effective_of(claimed.map(|scope| ScopeSet::parse(&scope)).as_ref(), asked)
    }

    /// The same where it is known what the token has; spelled as asked for, or else as stated.
    pub fn effective_of(&self, has: Option<&ScopeSet>, asked: &ScopeSet) -> ScopeSet {
        let stated = self.stated_scope();
        let Some(has) = has.or(stated.as_ref()) else { return asked.clone() };
        let told = stated.as_ref().unwrap_or(asked);
        let spelled = |scope| match asked.spelling(scope) {
            known if asked.contains(known) => known,
            unknown => told.spelling(unknown),
        };
        has.iter().map(spelled).collect()
    }

    /// Refreshes by the ordinary request of this client (RFC 6749 section 6). `None` without a refresh token.
    pub async fn refresh(&self, wire: &Wire) -> Result<Option<TokenAnswer>, Trouble> {
        self.refresh_with(wire, |_| {}).await
    }

    /// Refreshes by a request with one thing changed.
    pub async fn refresh_with(
        &self,
        wire: &Wire,
        alter: impl FnOnce(&mut Form),
    ) -> Result<Option<TokenAnswer>, Trouble> {
        let Some(mut form) = self.refresh_form() else { return Ok(None) };
        alter(&mut form);
        ask(wire, &self.grant, form).await.map(Some)
    }

    /// Refreshes by the ordinary request, sent by another client.
    pub async fn refresh_by(&self, wire: &Wire, sender: &Client) -> Result<Option<TokenAnswer>, Trouble> {
        let Some(form) = self.refresh_form() else { return Ok(None) };
        ask_by(wire, &self.grant, form, Some(sender)).await.map(Some)
    }

    /// Refreshes by the ordinary request, so many times at one instant. Nothing without a refresh token.
    pub async fn refresh_together(&self, wire: &Wire, times: usize) -> Vec<Result<TokenAnswer, Trouble>> {
        let Some(form) = self.refresh_form() else { return Vec::new() };
        together(wire, &self.grant, &form, times).await
    }

    fn refresh_form(&self) -> Option<Form> {
        let token = self.refresh_token.as_ref()?;
        let mut form = Form::of([("grant_type", "refresh_token"), ("refresh_token", token.expose())]);
        if let Some(resource) = &self.grant.resource {
            form.set("resource", resource);
        }
        Some(form)
    }
}

/// Asks the token endpoint.
pub async fn ask(wire: &Wire, grant: &Arc<Grant>, form: Form) -> Result<TokenAnswer, Trouble> {
    let reply = wire.send(grant.request(form)).await?;
    Ok(noted(wire, TokenAnswer::read(&reply, grant)))
}

/// Enters a token among those that the server issued in this run.
fn noted(wire: &Wire, answer: TokenAnswer) -> TokenAnswer {
    if let TokenAnswer::Granted(tokens) = &answer {
        wire.issued().note(tokens.exchange, tokens.access_token.expose());
    }
    answer
}

/// Asks about a grant as somebody whom it was not given to; as nobody, if there is no `sender`.
async fn ask_by(wire: &Wire, grant: &Arc<Grant>, form: Form, sender: Option<&Client>) -> Result<TokenAnswer, Trouble> {
    let pairs = form.pairs();
    let request = match sender {
        Some(client) => client.form(&grant.token_endpoint, pairs),
        None => Request::form(&grant.token_endpoint, &pairs),
    };
    Ok(TokenAnswer::read(&wire.send(request).await?, grant))
}

async fn together(wire: &Wire, grant: &Arc<Grant>, form: &Form, times: usize) -> Vec<Result<TokenAnswer, Trouble>> {
    let requests = (0..times).map(|_| grant.request(form.clone())).collect();
    let replies = wire.send_together(requests).await;
    replies.into_iter().map(|reply| reply.map(|reply| TokenAnswer::read(&reply, grant))).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::oauth::request::tests::client;
    use crate::wire::message::tests::reply;

    /// An error answer, as a literal.
    pub(crate) fn refused(status: u16, error: &str) -> TokenAnswer {
        TokenAnswer::Refused(OAuthError { status, error: error.into(), description: None, exchange: ExchangeId(1) })
    }

    /// A granted answer with these members.
    pub(crate) fn granted(members: Value) -> TokenAnswer {
        read(200, "application/json", &members.to_string())
    }

    /// The token set of a granted answer with these members.
    pub(crate) fn tokens(members: Value) -> TokenSet {
        match granted(members) {
            TokenAnswer::Granted(tokens) => *tokens,
            other => panic!("not granted: {}", other.describe()),
        }
    }

    pub(crate) fn read(status: u16, media_type: &str, body: &str) -> TokenAnswer {
        let reply = reply(status, &[("content-type", media_type)], body);
        let grant = Arc::new(Grant {
            token_endpoint: "https://as.example/token".into(),
            client: Arc::new(client()),
            redirect_uri: None,
            requested_scope: ScopeSet::parse("a b"),
            resource: None,
            latest: Latest::default(),
        });
        TokenAnswer::read(&reply, &grant)
    }

    #[test]
    fn only_a_named_error_below_500_is_a_refusal() {
        let json = r#"{"error":"invalid_grant"}"#;
        assert!(matches!(read(400, "application/json", json), TokenAnswer::Refused(_)));
        assert!(matches!(read(401, "text/plain", json), TokenAnswer::Refused(_)));
        assert!(matches!(read(500, "application/json", json), TokenAnswer::Odd { .. }));
        assert!(matches!(read(400, "text/html", "<h1>invalid_grant</h1>"), TokenAnswer::Odd { .. }));
        assert!(matches!(read(400, "application/json", "{}"), TokenAnswer::Odd { .. }));
        assert!(matches!(read(200, "application/json", r#"{"access_token":7}"#), TokenAnswer::Odd { .. }));
        assert!(matches!(read(200, "application/json", r#"{"access_token":""}"#), TokenAnswer::Odd { .. }));
        assert!(matches!(read(200, "application/json", r#"{"access_token":"a\nb"}"#), TokenAnswer::Odd { .. }));
    }

    #[test]
    fn claims_are_believed_over_what_is_stated() {
        // {"alg":"none"} . {"scope":"a b c"}
        let jwt = "eyJhbGciOiJub25lIn0.eyJzY29wZSI6ImEgYiBjIn0.x";
        let TokenAnswer::Granted(tokens) = granted(serde_json::json!({"access_token": jwt, "scope": "a"})) else {
            panic!("not granted")
        };
        assert_eq!(tokens.effective_scope(&ScopeSet::default()).to_string(), "a b c");
        assert_eq!(tokens.stated_scope().unwrap().to_string(), "a");
        assert_eq!(tokens.effective_scope(&ScopeSet::parse("api://x/c")).to_string(), "a b api://x/c");
        let long = serde_json::json!({"access_token": jwt, "scope": "api://x/a api://x/b api://x/c"});
        assert_eq!(super::tests::tokens(long).effective_scope(&ScopeSet::parse("a b")).to_string(), "a b api://x/c");
    }
}
