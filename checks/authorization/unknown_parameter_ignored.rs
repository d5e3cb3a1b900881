//! Parameters that a server does not know do no harm.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Asked, Context, OneByOne, Ordinary, Shortfall, ask};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::refusal::{is_passing, is_passing_error, token_line};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::token::TokenAnswer;
use crate::wire::Wire;

const IGNORED: Demand = demand(
    "A parameter that is not known is ignored, and one without a value counts as left out.",
    &[must(Document::OAuth21, "3.1"), must(Document::OAuth21, "3.2")],
);

/// A name that nobody has given a meaning.
const UNKNOWN: &str = "oaudit_unknown";

/// Makes the ordinary flow with one parameter more, at both endpoints, and with an empty `prompt`.
pub struct UnknownParameterIgnored;

impl Check for UnknownParameterIgnored {
    type Needs = OneByOne;
    const CARD: Card = Card {
        id: "authorization/unknown-parameter-ignored",
        demands: &[IGNORED],
        impact: Impact::Low,
        reach: Reach::OwnMaterial,
        page: include_str!("unknown_parameter_ignored.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        Ok(vec![odd(ordinary, true, true)])
    }

    async fn run(OneByOne(requests): OneByOne, cx: &Context) -> Outcome {
        let mut lines = Vec::new();
        for request in requests {
            lines.push(line(ask(cx, request).await, &cx.wire).await);
        }
        // Which of the two it was is asked only where it matters.
        let ordinary = cx.audit.ordinary();
        if has_prompt(ordinary) || lines.iter().all(|line| matches!(line.verdict, Verdict::Pass(_))) {
            return Ok(cx.fold(lines, "parameters without a meaning change nothing"));
        }
        let mut each = Vec::new();
        for request in [odd(ordinary, true, false), odd(ordinary, false, true)] {
            each.push(line(ask(cx, request).await, &cx.wire).await);
        }
        Ok(cx.fold(each, "parameters without a meaning change nothing"))
    }
}

/// Whether the ordinary request needs a prompt: an empty one would take that away.
fn has_prompt(ordinary: &Ordinary) -> bool {
    ordinary.further.iter().any(|(name, _)| name == "prompt")
}

fn odd(ordinary: &Ordinary, unknown: bool, empty: bool) -> AuthorizationRequest {
    let empty = empty && !has_prompt(ordinary);
    let what = match (unknown, empty) {
        (true, true) => format!("{UNKNOWN}=1 at both endpoints, and an empty prompt"),
        (true, false) => format!("{UNKNOWN}=1 at both endpoints"),
        (false, _) => "an empty prompt".to_owned(),
    };
    ordinary.altered(what, |r| {
        if unknown {
            r.add(UNKNOWN, "1");
        }
        if empty {
            r.add("prompt", "");
        }
    })
}

async fn line(asked: Asked, wire: &Wire) -> Finding {
    match asked.answer {
        Ok(AuthorizationAnswer::Code(code)) => {
            let unknown = code.request.get(UNKNOWN).is_some();
            let redeemed = code.redeem_with(wire, |form| {
                if unknown {
                    form.set(UNKNOWN, "1");
                }
            });
            token_line(&asked.what, redeemed.await.map(|(answer, _)| answer), judge_tokens)
        }
        _ => asked.line(judge_front),
    }
}

fn judge_front(answer: &AuthorizationAnswer) -> Verdict {
    match answer {
        AuthorizationAnswer::Error(e) if !is_passing_error(&e.error) => {
            Verdict::fail(IGNORED, format!("it was answered with the error {}", e.error))
        }
        AuthorizationAnswer::Page(page) if (400..500).contains(&page.status) && !is_passing(page) => {
            Verdict::fail(IGNORED, format!("it was answered with {}", page.describe()))
        }
        other => Verdict::inconclusive(format!("it was answered with {}", other.describe())),
    }
}

fn judge_tokens(answer: &TokenAnswer) -> Verdict {
    match answer {
        TokenAnswer::Granted(_) => Verdict::pass("the flow went on to a token"),
        TokenAnswer::Refused(e) if ["invalid_request", "invalid_grant"].contains(&e.error.as_str()) => {
            Verdict::fail(IGNORED, format!("the code exchange was refused with {}", e.describe()))
        }
        other => Verdict::inconclusive(format!("the code exchange brought {}", other.describe())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;
    use crate::oauth::answer::PageKind;
    use crate::oauth::answer::tests::{arrived, page};
    use crate::oauth::token::tests::{granted, read, refused};

    #[test]
    fn a_refusal_fails_and_an_outage_decides_nothing() {
        let home = "http://127.0.0.1:8765/callback";
        let error = |e: &str| judge_front(&arrived(home, &format!("{home}?error={e}")));
        assert!(matches!(error("invalid_request"), Verdict::Fail(..)));
        assert!(matches!(error("login_required"), Verdict::Inconclusive(_)));
        assert!(matches!(judge_front(&page(400, PageKind::Error)), Verdict::Fail(..)));
        for status in [408, 419, 429, 440, 500] {
            assert!(matches!(judge_front(&page(status, PageKind::Error)), Verdict::Inconclusive(_)), "{status}");
        }
        assert!(matches!(judge_tokens(&granted(serde_json::json!({"access_token": "x"}))), Verdict::Pass(_)));
        assert!(matches!(judge_tokens(&refused(400, "invalid_request")), Verdict::Fail(..)));
        assert!(matches!(judge_tokens(&read(500, "text/html", "")), Verdict::Inconclusive(_)));
    }

    #[test]
    fn a_prompt_that_is_needed_stays() {
        let mut ordinary = ordinary("a", "a");
        let request = odd(&ordinary, true, true);
        assert_eq!((request.get(UNKNOWN), request.get("prompt")), (Some("1"), Some("")));
        ordinary.further.push(("prompt".into(), "consent".into()));
        let request = odd(&ordinary, true, true);
        assert_eq!(request.parameters.iter().filter(|(name, _)| name == "prompt").count(), 1);
        assert_eq!(request.get("prompt"), Some("consent"));
    }
}
