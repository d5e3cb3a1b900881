//! Who asks for a fresh login gets a login page, not a silent code.

use crate::check::{
    Card, Check, Demand, Finding, Impact, Outcome, Reach, Unsettled, Verdict, advice, demand, must, should,
};
use crate::document::Document;
use crate::front::Purpose;
use crate::needs::{Context, OneByOne, OpenId, Ordinary, Shortfall};
use crate::oauth::answer::{AuthorizationAnswer, PageKind};
use crate::oauth::request::AuthorizationRequest;

const MAX_AGE: Demand = demand(
    "A request with max_age=0 leads to a login, though there is a session.",
    &[must(Document::OidcCore, "3.1.2.1"), advice(Document::OpenAi, "scopes")],
);
const PROMPT: Demand = demand(
    "A request with prompt=login leads to a login, though there is a session.",
    &[should(Document::OidcCore, "3.1.2.1"), advice(Document::OpenAi, "scopes")],
);

/// Visits with the session and looks at what answers first; nothing is filled in.
pub struct StepUpForcesLogin;

impl Check for StepUpForcesLogin {
    type Needs = (OneByOne, OpenId);
    const CARD: Card = Card {
        id: "scope/step-up-forces-login",
        demands: &[MAX_AGE, PROMPT],
        impact: Impact::Medium,
        reach: Reach::OwnMaterial,
        page: include_str!("step_up_forces_login.md"),
    };
    const BY_PAGES: bool = true;

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        Ok(vec![max_age(ordinary, true), prompt_login(ordinary, true), ordinary.request()])
    }

    async fn run((OneByOne(_), _): (OneByOne, OpenId), cx: &Context) -> Outcome {
        let ordinary = cx.audit.ordinary();
        let Some(mut by_age) = look(cx, max_age(ordinary, true)).await? else {
            return Ok(Verdict::NotRun {
                why: "only an agent that sees the server's pages can tell a login page".into(),
                how: "--agent form".into(),
            }
            .into());
        };
        // These parameters are OpenID Connect's; a client that may not ask for openid learns less.
        let openid = !matches!(&by_age, AuthorizationAnswer::Error(e) if e.error == "invalid_scope");
        if !openid {
            by_age = again(look(cx, max_age(ordinary, false)).await?)?;
        }
        if matches!(&by_age, AuthorizationAnswer::Page(page) if page.kind == PageKind::Consent) {
            // It may be openid that nobody agreed to so far: that is done once, and asked again.
            let agreeing = ordinary.altered("the ordinary request with openid", |r| as_openid(r, openid));
            let agreed = cx.audit.visit(&cx.wire, agreeing, Purpose::Odd).await;
            agreed.map_err(|error| Unsettled::Control(error.to_string()))?;
            by_age = again(look(cx, max_age(ordinary, openid)).await?)?;
        }
        let by_prompt = again(look(cx, prompt_login(ordinary, openid)).await?)?;
        // The control comes last: a session that is still there was there before.
        let session = again(look(cx, ordinary.request()).await?)?;
        let lines = [("max_age=0", by_age, MAX_AGE), ("prompt=login", by_prompt, PROMPT)];
        let lines = lines.iter().map(|(what, answer, broken)| {
            Finding::new(*what, judge(answer, &session, openid, *broken)).shown_by(answer.exchange())
        });
        Ok(cx.fold(lines.collect(), "a fresh login is asked for where the client asks for one"))
    }
}

async fn look(cx: &Context, request: AuthorizationRequest) -> Result<Option<AuthorizationAnswer>, Unsettled> {
    let looked = cx.audit.front.look(&cx.wire, request, &cx.audit.token_endpoint).await;
    looked.transpose().map_err(|error| Unsettled::Control(error.to_string()))
}

fn again(looked: Option<AuthorizationAnswer>) -> Result<AuthorizationAnswer, Unsettled> {
    looked.ok_or_else(|| Unsettled::Control("the agent sees no pages".into()))
}

fn as_openid(request: &mut AuthorizationRequest, openid: bool) {
    if openid {
        let scope = request.scope().with("openid").to_string();
        request.set("scope", scope);
    }
}

fn max_age(ordinary: &Ordinary, openid: bool) -> AuthorizationRequest {
    ordinary.altered("max_age=0", |r| {
        as_openid(r, openid);
        r.set("max_age", "0");
    })
}

fn prompt_login(ordinary: &Ordinary, openid: bool) -> AuthorizationRequest {
    ordinary.altered("prompt=login", |r| {
        as_openid(r, openid);
        let prompt = r.get("prompt").map_or_else(|| "login".to_owned(), |asked| format!("login {asked}"));
        r.set("prompt", prompt);
    })
}

fn judge(answer: &AuthorizationAnswer, session: &AuthorizationAnswer, openid: bool, broken: Demand) -> Verdict {
    let is_login = |a: &AuthorizationAnswer| matches!(a, AuthorizationAnswer::Page(p) if p.kind == PageKind::Login);
    match answer {
        AuthorizationAnswer::Code(_) if openid => {
            Verdict::fail(broken, "a code came from the session, without a login page")
        }
        AuthorizationAnswer::Code(_) => Verdict::not_applicable(
            "a code came from the session; but this client may not ask for openid, and without it that means nothing",
        ),
        AuthorizationAnswer::Error(e) if !openid => Verdict::not_applicable(format!(
            "this client may not ask for openid, and without it the answer is the error {}",
            e.error
        )),
        answer if is_login(answer) && is_login(session) => Verdict::inconclusive(
            "it leads to a login page; but so does the ordinary request, so the session may have been lost",
        ),
        answer if is_login(answer) => Verdict::pass("it leads to a login page, though there is a session"),
        other => Verdict::inconclusive(format!("it leads to {}", other.describe())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;
    use crate::oauth::answer::tests::{arrived, page};

    fn code() -> AuthorizationAnswer {
        let home = "http://127.0.0.1:8765/callback";
        arrived(home, &format!("{home}?code=x"))
    }

    #[test]
    fn a_silent_code_fails_and_a_login_page_passes() {
        let login = page(200, PageKind::Login);
        assert!(matches!(judge(&code(), &code(), true, MAX_AGE), Verdict::Fail(MAX_AGE, _)));
        assert!(matches!(judge(&login, &code(), true, MAX_AGE), Verdict::Pass(_)));
        assert!(matches!(judge(&login, &page(200, PageKind::Consent), true, PROMPT), Verdict::Pass(_)));
        assert!(matches!(judge(&code(), &code(), false, PROMPT), Verdict::NotApplicable(_)));
        let home = "http://127.0.0.1:8765/callback";
        let error = arrived(home, &format!("{home}?error=invalid_request"));
        assert!(matches!(judge(&error, &code(), false, MAX_AGE), Verdict::NotApplicable(_)));
        assert!(matches!(judge(&error, &code(), true, MAX_AGE), Verdict::Inconclusive(_)));
    }

    #[test]
    fn a_lost_session_decides_nothing() {
        let login = page(200, PageKind::Login);
        assert!(matches!(judge(&login, &login, true, MAX_AGE), Verdict::Inconclusive(_)));
        for answer in [page(200, PageKind::Consent), page(500, PageKind::Error)] {
            assert!(matches!(judge(&answer, &code(), true, MAX_AGE), Verdict::Inconclusive(_)));
        }
    }

    #[test]
    fn openid_is_asked_for_and_a_prompt_kept() {
        let mut ordinary = ordinary("a", "a");
        ordinary.further.push(("prompt".into(), "consent".into()));
        let request = prompt_login(&ordinary, true);
        assert_eq!((request.get("prompt"), request.get("scope")), (Some("login consent"), Some("a openid")));
        assert_eq!(max_age(&ordinary, false).get("scope"), Some("a"));
    }
}
