//! The one ordinary flow: authorization, callback, code exchange, and the token at the resource. Gate of all that
//! follows.

use std::sync::Arc;

use crate::audit::{Audit, FlowFailure, Transcript};
use crate::checks::authorization::code_flow_works::{CODE_ISSUED, CODE_REDEEMED};
use crate::front::{Purpose, SignInError};
use crate::needs::Ordinary;
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::client::Origin;
use crate::oauth::scope::ScopeSet;
use crate::oauth::token::{Code, TokenAnswer, TokenSet};
use crate::registration::{self, Wanted};
use crate::resource::{Credentials, Operation, Reached, Resource, is_json_rpc};
use crate::wire::{TroubleKind, Wire};

/// Somebody signed in.
pub(super) struct SignedIn {
    /// Whether two grants of one user and client live side by side; `None` if it could not be seen.
    pub(super) side_by_side: Option<bool>,
}

/// Signs in, makes the ordinary flow and enters it in the audit.
///
/// # Errors
/// Only what stops the audit: nobody could sign in. A flow that the server broke is entered as a failure.
pub(super) async fn sign_in(wire: &Wire, audit: &Arc<Audit>, wanted: &Wanted) -> Result<SignedIn, SignInError> {
    let wire = &wire.stamped("sign-in");
    let mut ended = adapted(wire, audit, audit.ordinary.clone(), Purpose::SignIn).await?;
    if let Err(failure) = &ended
        && failure.client_refused
        && matches!(audit.client.origin, Origin::Dynamic(_))
        && audit.client.is_public()
    {
        // Some servers register public clients that can never get a token.
        if let Ok(client) = registration::confidential(wire, &audit.discovery.server.metadata, wanted).await {
            ended = adapted(wire, audit, audit.ordinary.of(&Arc::new(client)), Purpose::Ordinary).await?;
        }
    }
    // Whoever said no, a person or the server, nobody is signed in.
    if let Err(Failed { error: Some(error), says, .. }) = &ended
        && error == "access_denied"
    {
        return Err(SignInError::Denied { says: wire.vault().redact(says).into_owned() });
    }
    let (entered, side_by_side) = match ended {
        Ok(transcript) => {
            let transcript = with_refresh_token(wire, audit, transcript).await?;
            let (transcript, side_by_side) = side_by_side(wire, audit, transcript).await?;
            (Ok(Arc::new(transcript)), side_by_side)
        }
        Err(failure) => (Err(failure.failure), None),
    };
    let _ = audit.baseline.set(entered);
    Ok(SignedIn { side_by_side })
}

/// A flow that did not work, and whether the token endpoint said that it was for the client.
struct Failed {
    failure: FlowFailure,
    client_refused: bool,
    /// The error of the authorization endpoint, if that is where it ended.
    error: Option<String>,
    /// What it says about it.
    says: String,
}

impl Failed {
    fn because(why: String, broken: Option<crate::check::Demand>, wire: &Wire) -> Self {
        let failure = FlowFailure { why, broken, evidence: wire.ledger().of(wire.stamp()) };
        Self { failure, client_refused: false, error: None, says: String::new() }
    }
}

/// The flow as asked for, or without what we added of our own and the server does not take.
async fn adapted(
    wire: &Wire,
    audit: &Audit,
    mut ordinary: Ordinary,
    mut purpose: Purpose,
) -> Result<Result<Transcript, Failed>, SignInError> {
    loop {
        let failed = match once(wire, audit, &ordinary, purpose).await? {
            Ok(transcript) => return Ok(Ok(transcript)),
            Err(failed) => failed,
        };
        purpose = Purpose::Ordinary;
        match failed.error.as_deref() {
            Some("invalid_scope") if ordinary.scope.contains("offline_access") => {
                ordinary.scope = ordinary.scope.iter().filter(|s| *s != "offline_access").collect();
            }
            Some("invalid_target") if ordinary.resource.is_some() => ordinary.resource = None,
            _ => return Ok(Err(failed)),
        }
    }
}

/// OpenID providers give a refresh token for `offline_access` only together with `prompt=consent` (OpenID Connect Core
/// section 11). Where that brings one, it belongs to the ordinary request of this server.
async fn with_refresh_token(wire: &Wire, audit: &Audit, transcript: Transcript) -> Result<Transcript, SignInError> {
    if transcript.tokens.refresh_token.is_some() || !transcript.ordinary.scope.contains("offline_access") {
        return Ok(transcript);
    }
    let mut asking = transcript.ordinary.clone();
    asking.further.push(("prompt".into(), "consent".into()));
    Ok(match once(wire, audit, &asking, Purpose::Ordinary).await? {
        Ok(better) if better.tokens.refresh_token.is_some() => better,
        _ => transcript,
    })
}

async fn once(
    wire: &Wire,
    audit: &Audit,
    ordinary: &Ordinary,
    purpose: Purpose,
) -> Result<Result<Transcript, Failed>, SignInError> {
    match audit.visit(wire, ordinary.request(), purpose).await? {
        AuthorizationAnswer::Code(code) => Ok(redeemed(wire, audit, ordinary, *code).await),
        other => Ok(Err(no_code(&other, wire))),
    }
}

/// The second half of the flow: the code exchange, and the token at the resource.
async fn redeemed(wire: &Wire, audit: &Audit, ordinary: &Ordinary, code: Code) -> Result<Transcript, Failed> {
    let request = &code.request;
    let (state, requested) = (request.state().to_owned(), request.scope());
    let nonce = request.get("nonce").map(str::to_owned);
    let returned = code.returned.clone();
    let (answer, reply) = match code.redeem_seen(wire).await {
        Ok(answered) => answered,
        Err(trouble) => {
            let broken = (trouble.kind == TroubleKind::Garbled).then_some(CODE_REDEEMED);
            return Err(Failed::because(format!("the code exchange came to nothing: {trouble}"), broken, wire));
        }
    };
    let tokens = match answer {
        TokenAnswer::Granted(tokens) => *tokens,
        other => {
            let said = match &other {
                TokenAnswer::Refused(e) => e.description.as_ref().map(|d| format!(" ({d})")).unwrap_or_default(),
                _ => String::new(),
            };
            let why = format!("the token endpoint answered the ordinary code exchange with {}{said}", other.describe());
            let broken = (!is_outage(&other)).then_some(CODE_REDEEMED);
            let mut failed = Failed::because(why, broken, wire);
            failed.client_refused = matches!(&other, TokenAnswer::Refused(e) if ["invalid_client", "unauthorized_client"].contains(&e.error.as_str()));
            return Err(failed);
        }
    };
    let reached = reach(wire, audit, &tokens).await;
    let exchanges = wire.ledger().of(wire.stamp());
    Ok(Transcript::new(ordinary.clone(), state, nonce, requested, returned, reply, tokens, reached, exchanges))
}

/// Whether an answer speaks of the moment and not of the request.
fn is_outage(answer: &TokenAnswer) -> bool {
    match answer {
        TokenAnswer::Odd { status, .. } => (502..=504).contains(status),
        TokenAnswer::Refused(error) => error.error == "temporarily_unavailable",
        TokenAnswer::Granted(_) => false,
    }
}

fn no_code(answer: &AuthorizationAnswer, wire: &Wire) -> Failed {
    let why = match answer {
        AuthorizationAnswer::Error(e) => format!(
            "the ordinary authorization request was answered with the error {}{}",
            e.error,
            e.description.as_ref().map(|d| format!(" ({d})")).unwrap_or_default()
        ),
        other => {
            format!("the ordinary authorization request should have brought a code, but brought {}", other.describe())
        }
    };
    let broken = match answer {
        AuthorizationAnswer::Error(e) => {
            let passing = ["temporarily_unavailable", "access_denied", "login_required", "interaction_required"];
            (!passing.contains(&e.error.as_str())).then_some(CODE_ISSUED)
        }
        AuthorizationAnswer::Page(page) => {
            (page.status >= 400 && ![429, 502, 503, 504].contains(&page.status)).then_some(CODE_ISSUED)
        }
        AuthorizationAnswer::Other(_) | AuthorizationAnswer::Elsewhere(_) => Some(CODE_ISSUED),
        AuthorizationAnswer::Code(_) | AuthorizationAnswer::NeverCameBack(_) => None,
    };
    let mut failed = Failed::because(why, broken, wire);
    if let AuthorizationAnswer::Error(e) = answer {
        failed.error = Some(e.error.clone());
        failed.says = e.description.clone().unwrap_or_default();
    }
    failed
}

/// Presents the token at the resource. What a stranger could not tell (an MCP endpoint that answers 401 to a GET as
/// well) shows now: if the way it was called does not fit, the other one is tried.
pub(super) async fn reach(
    wire: &Wire,
    audit: &Audit,
    tokens: &TokenSet,
) -> Option<Result<(Resource, Reached), String>> {
    let first = audit.open_resource()?;
    let token = tokens.access_token.expose();
    let reached = match first.call_with(wire, token).await {
        Ok(reached) => reached,
        Err(trouble) => return Some(Err(trouble.to_string())),
    };
    let ill_fitting = [400, 404, 405, 406, 415].contains(&reached.status);
    if ill_fitting {
        let operation = match first.operation {
            Operation::Get if audit.profile.mcp >= crate::document::McpVersion::V20260728 => Operation::ToolsList,
            Operation::Get => Operation::Initialize,
            // Whoever said how it is called was asked for nothing else.
            Operation::Configured => return Some(Ok((first, reached))),
            _ => Operation::Get,
        };
        let other = Resource { operation, ..first.clone() };
        if let Ok(reply) = other.call(wire, Credentials::Bearer(token)).await
            && reply.is_success()
            && (operation == Operation::Get || is_json_rpc(&reply))
            && let Ok(open) = other.call(wire, Credentials::None).await
            && open.status == 401
        {
            return Some(Ok((other, Reached::read(&reply))));
        }
    }
    Some(Ok((first, reached)))
}

/// Looks whether a code and a grant survive a second one of the same user and client. Servers that end them there would
/// make every check that runs beside others look broken, or refuse for that what they should refuse for its own sake.
/// The look takes a refresh, and some servers end the access token by it: what others read is the flow that was left
/// alone, or else the youngest.
async fn side_by_side(
    wire: &Wire,
    audit: &Audit,
    first: Transcript,
) -> Result<(Transcript, Option<bool>), SignInError> {
    let asking = || audit.visit(wire, first.ordinary.request(), Purpose::Ordinary);
    let (AuthorizationAnswer::Code(older), AuthorizationAnswer::Code(younger)) = (asking().await?, asking().await?)
    else {
        return Ok((first, None));
    };
    let older = older.redeem(wire).await;
    let Ok(second) = redeemed(wire, audit, &first.ordinary, *younger).await else { return Ok((first, None)) };
    let alike = second.tokens.refresh_token.is_some() == first.tokens.refresh_token.is_some()
        && second.resource().is_ok() == first.resource().is_ok();
    if matches!(older, Ok((TokenAnswer::Refused(e), _)) if e.error == "invalid_grant") {
        audit.front.holds_one_code();
        return Ok((if alike { second } else { first }, Some(false)));
    }
    if lives(wire, &first, &first.tokens).await == Some(true) {
        return Ok((if alike { second } else { first }, Some(true)));
    }
    // Dead, or refreshing never works here: the younger grant tells which.
    Ok(match lives(wire, &first, &second.tokens).await {
        Some(true) => (if alike { second } else { first }, Some(false)),
        _ => (first, None),
    })
}

async fn lives(wire: &Wire, flow: &Transcript, tokens: &TokenSet) -> Option<bool> {
    if let Ok(resource) = flow.resource() {
        let reached = resource.call_with(wire, tokens.access_token.expose()).await.ok()?;
        if !reached.is_accepted() {
            // What is neither a refusal of the token nor the answer to a good one tells nothing of its life.
            return (reached.status == 401).then_some(false);
        }
    }
    match tokens.refresh(wire).await.ok()? {
        Some(TokenAnswer::Granted(_)) => Some(true),
        Some(TokenAnswer::Refused(_)) => Some(false),
        Some(TokenAnswer::Odd { .. }) => None,
        None => flow.resource().is_ok().then_some(true),
    }
}

/// The scopes of a request, for the head of the report.
pub(super) fn asked(audit: &Audit) -> ScopeSet {
    audit.ordinary().scope.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{read, refused};

    #[test]
    fn an_outage_of_the_token_endpoint_is_not_its_failure() {
        assert!(is_outage(&read(503, "text/html", "")));
        assert!(is_outage(&refused(400, "temporarily_unavailable")));
        assert!(!is_outage(&read(500, "text/html", "")));
        assert!(!is_outage(&refused(400, "invalid_grant")));
    }
}
