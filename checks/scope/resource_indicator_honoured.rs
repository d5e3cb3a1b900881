//! A client says which resource its token is for, and the server listens.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must, should};
use crate::document::Document;
use crate::needs::{Asked, Context, OneByOne, Ordinary, Shortfall, ask};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::audience::Own;
use crate::oauth::described::Described;
use crate::oauth::refusal::{Refusal, front_refusal};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::token::TokenAnswer;

const TARGET_TAKEN: Demand = demand(
    "A request that names the resource itself is granted.",
    &[
        must(Document::Rfc8707, "2"),
        must(Document::Mcp, "resource-parameter-implementation"),
        must(Document::OpenAi, "token verification"),
    ],
);
const UNKNOWN_REFUSED: Demand = demand(
    "A resource that the server does not know is refused with invalid_target, or has no effect on the audience.",
    &[should(Document::Rfc8707, "2")],
);
const BOTH_OR_NONE: Demand = demand(
    "A token for two resources is for both of them, or the request is refused.",
    &[should(Document::Rfc8707, "2")],
);

/// A resource that does not exist.
const NOWHERE: &str = "https://nowhere.oaudit.test/mcp";

/// Reads whether the ordinary request named its resource, then asks for a made-up one, and for both.
pub struct ResourceIndicatorHonoured;

impl Check for ResourceIndicatorHonoured {
    type Needs = OneByOne;
    const CARD: Card = Card {
        id: "scope/resource-indicator-honoured",
        demands: &[TARGET_TAKEN, UNKNOWN_REFUSED, BOTH_OR_NONE],
        impact: Impact::High,
        reach: Reach::OwnMaterial,
        page: include_str!("resource_indicator_honoured.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        let mut requests = vec![ordinary.altered("a resource that does not exist", |r| {
            r.set("resource", NOWHERE);
        })];
        if ordinary.resource.is_some() {
            requests.push(ordinary.altered("two resources, one of which does not exist", |r| {
                r.add("resource", NOWHERE);
            }));
        }
        Ok(requests)
    }

    async fn run(OneByOne(requests): OneByOne, cx: &Context) -> Outcome {
        let named = cx.audit.ordinary.resource.as_deref();
        let granted = cx.audit.ordinary().resource.as_deref();
        let mut lines = vec![Finding::new("the resource itself", judge_target(named, granted))];
        for request in requests {
            lines.push(line(ask(cx, request).await, cx).await);
        }
        Ok(cx.fold(lines, "no token was seen to be for a resource that does not exist"))
    }
}

/// The ordinary request names the resource if anybody told its name; it is left out only where that was refused.
fn judge_target(named: Option<&str>, granted: Option<&str>) -> Verdict {
    match (named, granted) {
        (Some(resource), Some(_)) => Verdict::pass(format!("a request for {resource} was granted")),
        (Some(resource), None) => {
            Verdict::fail(TARGET_TAKEN, format!("a request for {resource} was refused with invalid_target"))
        }
        (None, _) => Verdict::not_applicable("nobody tells the identifier of the resource, so none was asked for"),
    }
}

async fn line(asked: Asked, cx: &Context) -> Finding {
    let Ok(AuthorizationAnswer::Code(code)) = asked.answer else { return asked.line(judge_front) };
    let shown = code.returned.exchange;
    let several = code.request.parameters.iter().filter(|(name, _)| name == "resource").count() > 1;
    let answer = match code.redeem(&cx.wire).await {
        Ok((answer, _)) => answer,
        Err(trouble) => return Finding::new(asked.what, Verdict::inconclusive(trouble.to_string())).shown_by(shown),
    };
    let exchange = answer.exchange();
    let verdict = match &answer {
        TokenAnswer::Granted(tokens) => {
            let token = tokens.access_token.expose();
            let known = match several {
                true => cx.audiences(token).await.map(|(described, own)| (described, Some(own))),
                false => {
                    Described::of(&cx.wire, token, cx.audit.introspection.as_ref()).await.map(|known| (known, None))
                }
            };
            match known {
                Ok((described, own)) => judge_audience(&described, own.as_ref(), cx.asks_everybody()),
                Err(trouble) => Verdict::inconclusive(trouble.to_string()),
            }
        }
        other => judge_tokens(other),
    };
    Finding::new(asked.what, verdict).shown_by(shown).shown_by([exchange])
}

fn judge_front(answer: &AuthorizationAnswer) -> Verdict {
    match front_refusal(answer, &["invalid_target", "invalid_request"]) {
        Refusal::Recognised(how) => Verdict::pass(how),
        Refusal::Granted => Verdict::inconclusive(format!("it brought {}", answer.describe())),
        Refusal::Unclear(what) => Verdict::inconclusive(what),
    }
}

fn judge_tokens(answer: &TokenAnswer) -> Verdict {
    match answer {
        TokenAnswer::Refused(e) if ["invalid_target", "invalid_request"].contains(&e.error.as_str()) => {
            Verdict::pass(format!("it was refused with {} at the token endpoint", e.describe()))
        }
        other => Verdict::inconclusive(format!("its code brought {}", other.describe())),
    }
}

/// Judges the audience of a token that was granted. `own`: the names of the other resource, where two were asked for; a
/// server may know it by another name than the one that was sent (RFC 8707 section 2). `asked_all`: there was nobody
/// else to ask about the token.
fn judge_audience(described: &Described, own: Option<&Own>, asked_all: bool) -> Verdict {
    let audience = described.audience_text();
    match (described.is_for_any([NOWHERE]), own.map(|own| described.is_for_any(own.all()))) {
        (None, _) if !asked_all => Verdict::NotRun {
            why: "a token was granted, and nobody is known who may ask introspection whom it is for".into(),
            how: "[introspection] in oaudit.toml".into(),
        },
        (None, _) => Verdict::not_applicable("a token was granted, and whom it is for can be read nowhere"),
        (Some(true), None) => {
            Verdict::fail(UNKNOWN_REFUSED, format!("a token was issued for it: the audience is {audience}"))
        }
        (Some(true), Some(_)) => Verdict::fail(
            UNKNOWN_REFUSED,
            format!("a token was issued for the one that does not exist: the audience is {audience}"),
        ),
        (Some(false), Some(Some(false))) => {
            Verdict::fail(BOTH_OR_NONE, format!("the audience of the token is {audience}, neither of the two"))
        }
        (Some(false), _) => Verdict::pass(format!("it was ignored: the audience of the token is {audience}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;
    use crate::oauth::answer::tests::arrived;
    use crate::oauth::token::tests::refused;

    fn audience(aud: Option<&str>, own: Option<&Own>) -> Verdict {
        let audience = aud.map(|aud| aud.split(' ').map(str::to_owned).collect());
        judge_audience(&Described { audience, scope: None }, own, true)
    }

    #[test]
    fn ignored_is_legal_and_minted_is_not() {
        let own = &Own::of(vec!["https://a".into()], vec!["urn:a".into()]);
        let own = Some(own);
        assert!(matches!(audience(Some("https://a"), None), Verdict::Pass(_)));
        assert!(matches!(audience(Some(NOWHERE), None), Verdict::Fail(UNKNOWN_REFUSED, _)));
        let both = format!("https://a {NOWHERE}");
        assert!(matches!(audience(Some(&both), own), Verdict::Fail(UNKNOWN_REFUSED, _)));
        assert!(matches!(audience(Some("https://a"), own), Verdict::Pass(_)));
        assert!(matches!(audience(Some("urn:a"), own), Verdict::Pass(_)), "by its other name");
        assert!(matches!(audience(Some("https://b"), own), Verdict::Fail(BOTH_OR_NONE, _)));
    }

    #[test]
    fn what_nobody_can_read_is_no_pass() {
        assert!(matches!(audience(None, None), Verdict::NotApplicable(_)));
        assert!(matches!(judge_audience(&Described::default(), None, false), Verdict::NotRun { .. }));
    }

    #[test]
    fn the_resource_itself_must_be_taken() {
        assert!(matches!(judge_target(Some("r"), Some("r")), Verdict::Pass(_)));
        assert!(matches!(judge_target(Some("r"), None), Verdict::Fail(TARGET_TAKEN, _)));
        assert!(matches!(judge_target(None, None), Verdict::NotApplicable(_)));
    }

    #[test]
    fn a_refusal_is_about_the_target() {
        let home = "http://127.0.0.1:8765/callback";
        let error = |e: &str| judge_front(&arrived(home, &format!("{home}?error={e}")));
        assert!(matches!(error("invalid_target"), Verdict::Pass(_)));
        assert!(matches!(error("access_denied"), Verdict::Inconclusive(_)));
        assert!(matches!(judge_tokens(&refused(400, "invalid_target")), Verdict::Pass(_)));
        assert!(matches!(judge_tokens(&refused(400, "invalid_grant")), Verdict::Inconclusive(_)));
    }

    #[test]
    fn two_are_asked_for_where_one_is_known() {
        let mut ordinary = ordinary("a", "a");
        assert_eq!(ResourceIndicatorHonoured::requests(&ordinary).unwrap().len(), 1);
        ordinary.resource = Some("https://a".into());
        let requests = ResourceIndicatorHonoured::requests(&ordinary).unwrap();
        assert_eq!(requests[1].parameters.iter().filter(|(n, _)| n == "resource").count(), 2);
    }
}
