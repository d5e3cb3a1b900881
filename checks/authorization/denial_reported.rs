//! Who says no on the consent page sends the client back with `access_denied`.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::front::Denied;
use crate::needs::{Context, Ordinary, Refusing, Shortfall};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::request::AuthorizationRequest;

const REPORTED: Demand = demand(
    "A denial is reported to the client as access_denied, with the state of the request.",
    &[must(Document::OAuth21, "4.1.2.1")],
);

/// Asks for consent once more, and refuses it.
pub struct DenialReported;

impl Check for DenialReported {
    type Needs = Refusing;
    const CARD: Card = Card {
        id: "authorization/denial-reported",
        demands: &[REPORTED],
        impact: Impact::Low,
        reach: Reach::Grant,
        page: include_str!("denial_reported.md"),
    };
    const BY_PAGES: bool = true;

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        // A consent that was given before is not asked for again without it.
        Ok(vec![ordinary.altered("a request that is denied", |r| {
            r.set("prompt", "consent");
        })])
    }

    async fn run(refusing: Refusing, _: &Context) -> Outcome {
        let evidence = match &refusing.denied {
            Denied::Said(answer) | Denied::NotAsked(answer) => answer.exchange(),
            Denied::NoWay(page) => page.exchange,
        };
        Ok(Ruling::from(judge(&refusing.denied, &refusing.state)).shown_by(evidence))
    }
}

fn judge(denied: &Denied, sent: &str) -> Verdict {
    let answer = match denied {
        Denied::Said(answer) => answer,
        Denied::NotAsked(AuthorizationAnswer::Code(_)) => {
            return Verdict::not_applicable(
                "the server asks for no consent, prompt=consent or not: there is nothing to deny",
            );
        }
        Denied::NotAsked(answer) => {
            return Verdict::inconclusive(format!("no consent was asked for, the answer was {}", answer.describe()));
        }
        Denied::NoWay(page) => {
            return Verdict::inconclusive(format!("nothing was found that says no on {}", page.describe()));
        }
    };
    match answer {
        AuthorizationAnswer::Error(e) if e.error == "access_denied" => match e.returned.get("state") {
            Some(state) if state == sent => Verdict::pass("a denial came back as access_denied, with the state"),
            Some(_) => Verdict::fail(REPORTED, "a denial came back as access_denied with another state"),
            None => Verdict::fail(REPORTED, "a denial came back as access_denied without the state"),
        },
        // Of the moment, and not of the denial.
        AuthorizationAnswer::Error(e) if e.error == "temporarily_unavailable" => {
            Verdict::inconclusive("a denial was answered with the error temporarily_unavailable")
        }
        AuthorizationAnswer::Error(e) => {
            Verdict::fail(REPORTED, format!("a denial came back as {}, not as access_denied", e.error))
        }
        AuthorizationAnswer::Code(_) => Verdict::fail(REPORTED, "a denial was answered with a code"),
        // The way back may be a button or a script that was not recognised.
        other => Verdict::inconclusive(format!("after the denial came {}", other.describe())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::answer::PageKind;
    use crate::oauth::answer::tests::{arrived, page};

    fn said(query: &str) -> Denied {
        let home = "http://127.0.0.1:8765/callback";
        Denied::Said(arrived(home, &format!("{home}?{query}")))
    }

    #[test]
    fn access_denied_with_the_state_passes() {
        assert!(matches!(judge(&said("error=access_denied&state=s"), "s"), Verdict::Pass(_)));
        for query in
            ["error=access_denied", "error=access_denied&state=t", "error=server_error&state=s", "code=x&state=s"]
        {
            assert!(matches!(judge(&said(query), "s"), Verdict::Fail(..)), "{query}");
        }
        assert!(matches!(judge(&said("error=temporarily_unavailable"), "s"), Verdict::Inconclusive(_)));
    }

    #[test]
    fn what_was_not_denied_is_not_judged() {
        let home = "http://127.0.0.1:8765/callback";
        let code = Denied::NotAsked(arrived(home, &format!("{home}?code=x")));
        assert!(matches!(judge(&code, "s"), Verdict::NotApplicable(_)));
        let error = Denied::NotAsked(arrived(home, &format!("{home}?error=access_denied&state=s")));
        assert!(matches!(judge(&error, "s"), Verdict::Inconclusive(_)));
        let AuthorizationAnswer::Page(consent) = page(200, PageKind::Consent) else { panic!("a page") };
        assert!(matches!(judge(&Denied::NoWay(consent), "s"), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&Denied::Said(page(200, PageKind::Unknown)), "s"), Verdict::Inconclusive(_)));
    }
}
