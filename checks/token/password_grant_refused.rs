//! The password grant is dead.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Anonymous, Context};
use crate::oauth::pkce::random_text;
use crate::oauth::token::{Form, TokenAnswer, ask};

const NO_PASSWORDS: Demand = demand(
    "The token endpoint does not know the password grant.",
    &[must(Document::Rfc9700, "2.4"), must(Document::OpenAi, "approval checklist")],
);

/// A grant that nobody has, as the control: what is answered to it says nothing about passwords.
const MADE_UP: &str = "urn:oaudit:no-such-grant";

/// Tries a made-up grant, then the password grant with a user that does not exist.
pub struct PasswordGrantRefused;

impl Check for PasswordGrantRefused {
    type Needs = Anonymous;
    const CARD: Card = Card {
        id: "token/password-grant-refused",
        demands: &[NO_PASSWORDS],
        impact: Impact::Critical,
        reach: Reach::Nothing,
        page: include_str!("password_grant_refused.md"),
    };

    async fn run(anonymous: Anonymous, cx: &Context) -> Outcome {
        let grant = anonymous.no_grant();
        // Never a real name: wrong passwords may lock an account.
        let (user, password) = (format!("oaudit-no-such-user-{}", random_text(6)), random_text(16));
        let asking = |kind| Form::of([("grant_type", kind), ("username", &user), ("password", &password)]);
        let control = ask(&cx.wire, &grant, asking(MADE_UP)).await?;
        let answer = ask(&cx.wire, &grant, asking("password")).await?;
        Ok(Ruling::from(judge(&answer, &control)).shown_by([control.exchange(), answer.exchange()]))
    }
}

fn judge(answer: &TokenAnswer, control: &TokenAnswer) -> Verdict {
    match answer {
        TokenAnswer::Granted(_) => Verdict::fail(NO_PASSWORDS, "a made-up user name and password bought a token"),
        TokenAnswer::Refused(e) if ["unsupported_grant_type", "unauthorized_client"].contains(&e.error.as_str()) => {
            Verdict::pass(format!("the password grant was refused with {}", e.describe()))
        }
        answer if is_same(answer, control) => {
            Verdict::pass(format!("the password grant was answered like a made-up one, with {}", answer.describe()))
        }
        TokenAnswer::Refused(e) if e.error == "invalid_grant" => Verdict::fail(
            NO_PASSWORDS,
            format!(
                "user name and password were looked at: {} came, while a made-up grant brought {}",
                e.describe(),
                control.describe()
            ),
        ),
        other => Verdict::inconclusive(format!(
            "the password grant was answered with {}, a made-up one with {}",
            other.describe(),
            control.describe()
        )),
    }
}

/// Whether both are one error about the request, but for the name of the grant. What is no OAuth error is no refusal
/// either, and one about the client or the moment says that nobody looked at the grant.
fn is_same(answer: &TokenAnswer, control: &TokenAnswer) -> bool {
    match (answer, control) {
        (TokenAnswer::Refused(a), TokenAnswer::Refused(c)) => {
            let of_control = c.description.as_ref().map(|text| text.replace(MADE_UP, "password"));
            ["invalid_request", "invalid_grant"].contains(&a.error.as_str())
                && a.status == c.status
                && a.error == c.error
                && a.description == of_control
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{granted, read, refused};

    #[test]
    fn an_answer_to_passwords_alone_betrays_the_grant() {
        let control = refused(400, "unsupported_grant_type");
        assert!(matches!(judge(&refused(400, "unsupported_grant_type"), &control), Verdict::Pass(_)));
        assert!(matches!(judge(&refused(401, "unauthorized_client"), &control), Verdict::Pass(_)));
        assert!(matches!(judge(&refused(400, "invalid_grant"), &control), Verdict::Fail(..)));
        assert!(matches!(judge(&granted(serde_json::json!({"access_token": "x"})), &control), Verdict::Fail(..)));
        assert!(matches!(judge(&refused(400, "invalid_request"), &control), Verdict::Inconclusive(_)));
    }

    #[test]
    fn a_server_that_says_the_same_to_everything_passes() {
        for error in ["invalid_grant", "invalid_request"] {
            assert!(matches!(judge(&refused(400, error), &refused(400, error)), Verdict::Pass(_)), "{error}");
        }
        for error in ["invalid_client", "temporarily_unavailable"] {
            let verdict = judge(&refused(401, error), &refused(401, error));
            assert!(matches!(verdict, Verdict::Inconclusive(_)), "{error}");
        }
        let said = |name: &str| {
            let body = format!(r#"{{"error":"invalid_request","error_description":"no grant {name}"}}"#);
            read(400, "application/json", &body)
        };
        assert!(matches!(judge(&said("password"), &said(MADE_UP)), Verdict::Pass(_)));
        assert!(matches!(judge(&said("user"), &said(MADE_UP)), Verdict::Inconclusive(_)));
        for status in [404, 500] {
            let odd = || read(status, "text/html", "");
            assert!(matches!(judge(&odd(), &odd()), Verdict::Inconclusive(_)), "{status}");
        }
    }
}
