//! ChatGPT can come back: its redirect URI is taken, by registration and at the authorization endpoint.

use std::sync::Arc;

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::front::Stranger;
use crate::needs::{Baseline, Context};
use crate::oauth::answer::{AuthorizationAnswer, Page, PageKind};
use crate::oauth::client::{Client, Origin};
use crate::oauth::refusal::{Refusal, front_refusal};
use crate::registration;
use crate::wire::Reply;

const ALLOWED: Demand = demand(
    "The redirect URI that ChatGPT uses with this server is allowed.",
    &[must(Document::OpenAi, "redirect URI")],
);

/// For servers that send `iss`.
const STABLE: &str = "https://chatgpt.com/connector_platform_oauth_redirect";
/// For all others, with an identifier that belongs to the app.
const OWN: &str = "https://chatgpt.com/connector/oauth/";
/// What older guides ask for beside it.
const FORMER: &str = "https://platform.openai.com/apps-manage/oauth";

/// Asks for an answer at ChatGPT's redirect URI, as a stranger, and follows no redirect there.
pub struct ChatgptAllowed;

impl Check for ChatgptAllowed {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "redirect_uri/chatgpt-allowed",
        demands: &[ALLOWED],
        impact: Impact::Critical,
        reach: Reach::OwnMaterial,
        page: include_str!("chatgpt_allowed.md"),
    };

    async fn run(baseline: Baseline, cx: &Context) -> Outcome {
        let metadata = &cx.audit.discovery.server.metadata;
        let sends_iss =
            baseline.returned.get("iss").is_some() && metadata.flag("authorization_response_iss_parameter_supported");
        let uri = match applies(sends_iss, cx.audit.settings.chatgpt_callback_id.as_deref()) {
            Ok(uri) => uri,
            Err(verdict) => return Ok(verdict.into()),
        };
        let own = &baseline.ordinary.client;
        let (client, registered) = match (&own.origin, metadata.text("registration_endpoint")) {
            (Origin::Dynamic(_) | Origin::Document, Some(endpoint)) => {
                let scope = &baseline.ordinary.scope;
                match registration::for_service(&cx.wire, endpoint, &uri, own.auth, scope).await? {
                    (reply, Some(client)) => (client, Some(reply.id)),
                    (reply, None) => return Ok(Ruling::from(judge_refusal(&reply, &uri)).shown_by([reply.id])),
                }
            }
            // Our own document lists our own redirect URIs: that ChatGPT's are not among them says nothing.
            (Origin::Document, None) => return Ok(own_document().into()),
            _ => (Client { redirect_uri: uri.clone(), https_redirect_uri: None, ..(**own).clone() }, None),
        };
        let client = Arc::new(client);
        let request = baseline.ordinary.of(&client).request();
        cx.audit.front.meet_strangers(&cx.wire, baseline.ordinary.request()).await;
        let answer = match cx.audit.front.visit_as_stranger(&cx.wire, request, &cx.audit.token_endpoint).await? {
            // What a script builds is seen by an agent that runs it, and what strangers are kept from by one that has a
            // session, if that is the agent.
            Stranger::Asked(request, page) if [PageKind::Unknown, PageKind::Error].contains(&page.kind) => {
                match cx.audit.front.look(&cx.wire, request, &cx.audit.token_endpoint).await {
                    Some(Ok(answer)) => answer,
                    Some(Err(_)) | None if page.kind == PageKind::Error => return Ok(turned_away(&page).into()),
                    Some(Err(_)) | None => AuthorizationAnswer::Page(page),
                }
            }
            Stranger::Asked(_, page) => AuthorizationAnswer::Page(page),
            Stranger::Answered(answer) => answer,
        };
        let note =
            Verdict::not_applicable("older guides ask for it as well, OpenAI's present text does not; not tried");
        let evidence = registered.into_iter().chain(answer.exchange());
        let may_register = metadata.text("registration_endpoint").is_some();
        let verdict =
            if registered.is_none() && may_register { excused(judge(&answer, &uri)) } else { judge(&answer, &uri) };
        Ok(Ruling::from(verdict).shown_by(evidence).noting(FORMER, note))
    }
}

fn own_document() -> Verdict {
    Verdict::NotRun {
        why: "the client of this run is a metadata document of its own, and the server registers no others".into(),
        how: "--client-id ID of the client that ChatGPT is to use".into(),
    }
}

/// A stranger is shown an error page by the ordinary request as well.
fn turned_away(page: &Page) -> Verdict {
    Verdict::inconclusive(format!(
        "a stranger is shown {} whatever is asked, and this agent cannot look with the session (--agent form)",
        page.describe()
    ))
}

/// What a client that was configured may not do says little where ChatGPT registers one of its own.
fn excused(verdict: Verdict) -> Verdict {
    let Verdict::Fail(_, why) = verdict else { return verdict };
    Verdict::NotRun {
        why: format!("the configured client may not use it ({why}), but ChatGPT can register a client of its own here"),
        how: "the audit without --client-id, or with the ID of the client that ChatGPT is to use".into(),
    }
}

/// Which redirect URI ChatGPT uses: the stable one only where `iss` tells servers apart.
fn applies(sends_iss: bool, callback_id: Option<&str>) -> Result<String, Verdict> {
    match (sends_iss, callback_id) {
        (true, _) => Ok(STABLE.into()),
        (false, Some(id)) => Ok(format!("{OWN}{id}")),
        (false, None) => Err(Verdict::NotRun {
            why: format!("iss is not both announced and sent, so ChatGPT comes back to {OWN} and an id of your app's"),
            how: "--chatgpt-callback-id ID".into(),
        }),
    }
}

fn judge_refusal(reply: &Reply, uri: &str) -> Verdict {
    let json = reply.json().unwrap_or_default();
    let text = |name: &str| json.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let (error, about) = (text("error"), text("error_description"));
    let is_it = error == "invalid_redirect_uri" || about.to_ascii_lowercase().contains("redirect");
    match (reply.status, is_it) {
        (400..=499, true) => {
            Verdict::fail(ALLOWED, format!("a registration for {uri} is refused: {} {error} ({about})", reply.status))
        }
        (status, _) => Verdict::inconclusive(format!("no client could be registered for {uri}: {status} {error}")),
    }
}

fn judge(answer: &AuthorizationAnswer, uri: &str) -> Verdict {
    let ended = answer.describe();
    match answer {
        AuthorizationAnswer::Page(page) => match page.kind {
            PageKind::Login | PageKind::Consent => Verdict::pass(format!("{uri} is taken: {ended} is shown")),
            PageKind::Error if matches!(front_refusal(answer, &ABOUT_IT), Refusal::Recognised(_)) => {
                Verdict::fail(ALLOWED, format!("an authorization request for {uri} ends on {ended}"))
            }
            PageKind::Error | PageKind::Unknown => {
                Verdict::inconclusive(format!("an authorization request for {uri} ends on {ended}"))
            }
        },
        AuthorizationAnswer::Code(_) => Verdict::pass(format!("{uri} is taken: a code is sent there")),
        AuthorizationAnswer::Error(e) if WAITING.contains(&e.error.as_str()) => {
            Verdict::pass(format!("{uri} is taken: {} is sent there", e.error))
        }
        AuthorizationAnswer::Error(_)
        | AuthorizationAnswer::Other(_)
        | AuthorizationAnswer::Elsewhere(_)
        | AuthorizationAnswer::NeverCameBack(_) => {
            Verdict::inconclusive(format!("an authorization request for {uri} was answered with {ended}"))
        }
    }
}

/// What an error page says of a redirect URI; one that names another error has another cause.
const ABOUT_IT: [&str; 3] = ["redirect", "Redirect", "invalid_request"];

/// Errors that say that nobody is signed in yet, and nothing else.
const WAITING: [&str; 3] = ["login_required", "interaction_required", "consent_required"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::answer::tests::{arrived, page};
    use crate::wire::message::tests::reply;

    #[test]
    fn iss_decides_which_uri_applies() {
        assert_eq!(applies(true, Some("x")), Ok(STABLE.into()));
        assert_eq!(applies(false, Some("x")), Ok("https://chatgpt.com/connector/oauth/x".into()));
        assert!(matches!(applies(false, None), Err(Verdict::NotRun { .. })));
    }

    #[test]
    fn a_login_page_or_an_answer_there_holds() {
        let judge = |answer| judge(&answer, STABLE);
        assert!(matches!(judge(page(200, PageKind::Login)), Verdict::Pass(_)));
        assert!(matches!(judge(arrived(STABLE, &format!("{STABLE}?code=x"))), Verdict::Pass(_)));
        assert!(matches!(judge(arrived(STABLE, &format!("{STABLE}?error=login_required"))), Verdict::Pass(_)));
        assert!(matches!(judge(page(400, PageKind::Error)), Verdict::Fail(..)));
        let said = |status, says: &str| {
            let page = Page { status, kind: PageKind::Error, says: says.into(), exchange: None };
            judge(AuthorizationAnswer::Page(page))
        };
        assert!(matches!(said(200, "Invalid redirect_uri"), Verdict::Fail(..)));
        assert!(matches!(said(400, "invalid_scope"), Verdict::Inconclusive(_)));
        assert!(matches!(excused(said(400, "")), Verdict::NotRun { .. }));
        assert!(matches!(excused(judge(page(200, PageKind::Login))), Verdict::Pass(_)));
        for answer in [
            page(500, PageKind::Error),
            page(429, PageKind::Error),
            page(200, PageKind::Unknown),
            arrived(STABLE, "https://x.test/"),
        ] {
            assert!(matches!(judge(answer), Verdict::Inconclusive(_)));
        }
    }

    #[test]
    fn only_a_refusal_of_the_uri_is_one() {
        let json = |error: &str| format!("{{\"error\":\"{error}\"}}");
        assert!(matches!(judge_refusal(&reply(400, &[], &json("invalid_redirect_uri")), STABLE), Verdict::Fail(..)));
        assert!(matches!(
            judge_refusal(&reply(400, &[], &json("invalid_client_metadata")), STABLE),
            Verdict::Inconclusive(_)
        ));
        assert!(matches!(judge_refusal(&reply(503, &[], ""), STABLE), Verdict::Inconclusive(_)));
    }
}
