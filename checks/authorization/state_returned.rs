//! `state` comes back as it was sent, however long and whatever its characters, with a code and with an error.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Context, FrontChannel, Ordinary, Shortfall};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::pkce::random_text;
use crate::oauth::request::AuthorizationRequest;

const WITH_A_CODE: Demand = demand(
    "The state of the request comes back unchanged beside the code.",
    &[must(Document::OAuth21, "4.1.2"), must(Document::OpenAi, "approval checklist")],
);
const WITH_AN_ERROR: Demand = demand(
    "The state of the request comes back unchanged beside an error.",
    &[must(Document::OAuth21, "4.1.2.1"), must(Document::OpenAi, "approval checklist")],
);

/// Sends states of three kinds with ordinary requests, and one with a request that is answered by an error.
pub struct StateReturned;

impl Check for StateReturned {
    type Needs = FrontChannel;
    const CARD: Card = Card {
        id: "authorization/state-returned",
        demands: &[WITH_A_CODE, WITH_AN_ERROR],
        impact: Impact::High,
        reach: Reach::OwnMaterial,
        page: include_str!("state_returned.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        let stating = |what: &str, state: String| {
            ordinary.altered(what, |r| {
                r.set("state", state);
            })
        };
        let unsupported = ordinary.altered("a request that is refused", |r| {
            r.set("response_type", "oaudit_none");
        });
        Ok(vec![
            stating("43 characters", random_text(32)),
            stating("512 characters", random_text(384)),
            // Printable ASCII is all that `state` may be made of (RFC 6749 appendix A.5). Two characters look like an
            // escape, so that a second decoding shows.
            stating("reserved characters", format!("a+b%2Bc&d=e/f?g#h i%{}", random_text(6))),
            unsupported,
        ])
    }

    async fn run(FrontChannel(asked): FrontChannel, cx: &Context) -> Outcome {
        let refused = asked.len().saturating_sub(1);
        let judged = asked.iter().enumerate().map(|(at, asked)| {
            asked.line(|answer| {
                if at == refused { with_an_error(answer, &asked.state) } else { with_a_code(answer, &asked.state) }
            })
        });
        Ok(cx.fold(judged.collect(), "state came back unchanged, with codes and with an error"))
    }
}

fn with_a_code(answer: &AuthorizationAnswer, sent: &str) -> Verdict {
    match answer {
        AuthorizationAnswer::Code(code) => compare(code.returned.get("state"), sent, WITH_A_CODE),
        other => Verdict::inconclusive(format!("no code came with it: it was answered with {}", other.describe())),
    }
}

fn with_an_error(answer: &AuthorizationAnswer, sent: &str) -> Verdict {
    match answer {
        AuthorizationAnswer::Error(error) => compare(error.returned.get("state"), sent, WITH_AN_ERROR),
        other => Verdict::inconclusive(format!("no error came to the redirect URI, but {}", other.describe())),
    }
}

fn compare(came: Option<&str>, sent: &str, broken: Demand) -> Verdict {
    match came {
        Some(came) if came == sent => Verdict::pass(format!("{} characters came back unchanged", sent.len())),
        None => Verdict::fail(broken, "the redirect carries no state"),
        Some(came) if came.len() < sent.len() && sent.starts_with(came) => {
            Verdict::fail(broken, format!("state was cut off after {} of {} characters", came.len(), sent.len()))
        }
        Some(came) => Verdict::fail(
            broken,
            format!("state was changed: sent were {} characters, {} came back", sent.len(), came.len()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;
    use crate::oauth::answer::PageKind;
    use crate::oauth::answer::tests::{arrived, page};

    fn at(answer: &str) -> AuthorizationAnswer {
        let home = "http://127.0.0.1:8765/callback";
        arrived(home, &format!("{home}{answer}"))
    }

    #[test]
    fn it_is_decoded_once_before_it_is_compared() {
        let sent = "a+b%2Bc&d e";
        assert!(matches!(with_a_code(&at("?code=x&state=a%2Bb%252Bc%26d+e"), sent), Verdict::Pass(_)));
        assert!(matches!(with_a_code(&at("?code=x&state=a%2Bb%252Bc%26d%20e"), sent), Verdict::Pass(_)));
        assert!(matches!(with_a_code(&at("?code=x&state=a%20b%2Bc%26d+e"), sent), Verdict::Fail(..)));
    }

    #[test]
    fn lost_and_cut_states_are_named() {
        let Verdict::Fail(broken, why) = with_an_error(&at("?error=x"), "s") else { panic!("not a failure") };
        assert_eq!((broken, why.as_str()), (WITH_AN_ERROR, "the redirect carries no state"));
        let Verdict::Fail(broken, why) = with_a_code(&at("?code=x&state=ab"), "abcd") else { panic!("not a failure") };
        assert_eq!((broken, why.as_str()), (WITH_A_CODE, "state was cut off after 2 of 4 characters"));
    }

    #[test]
    fn an_answer_of_the_other_kind_decides_nothing() {
        assert!(matches!(with_a_code(&at("?error=x&state=s"), "s"), Verdict::Inconclusive(_)));
        assert!(matches!(with_a_code(&page(400, PageKind::Error), "s"), Verdict::Inconclusive(_)));
        assert!(matches!(with_an_error(&at("?code=x&state=s"), "s"), Verdict::Inconclusive(_)));
    }

    #[test]
    fn the_states_are_as_long_as_they_say() {
        let requests = StateReturned::requests(&ordinary("a", "a")).unwrap();
        assert_eq!(requests.iter().map(|r| r.state().len()).collect::<Vec<_>>()[..2], [43, 512]);
        assert!("+%&=/?# ".chars().all(|c| requests[2].state().contains(c)));
    }
}
