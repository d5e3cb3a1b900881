//! Recognising a refusal: the one place where "the server said no" is told from "something went wrong".

use super::answer::{AuthorizationAnswer, Page, PageKind};
use super::token::TokenAnswer;
use crate::check::{Demand, Finding, Verdict};
use crate::wire::Trouble;

/// Judges the answer to a token request that ought to be refused.
///
/// * tokens: `broken` was broken;
/// * one of `accepted`: a pass (another status than the one due is said, and is judged by `token/error-codes`);
/// * anything else: inconclusive, with what came.
pub fn token_refused(answer: &TokenAnswer, accepted: &[&str], broken: Demand, sent: &str) -> Verdict {
    match answer {
        TokenAnswer::Granted(_) => Verdict::fail(broken, format!("{sent} was answered with an access token")),
        TokenAnswer::Refused(error) if accepted.contains(&error.error.as_str()) => {
            let odd = match error.status {
                400 | 401 => "",
                _ => " (a status of 400 is due)",
            };
            Verdict::pass(format!("{sent} was refused with {}{odd}", error.describe()))
        }
        TokenAnswer::Refused(error) => Verdict::inconclusive(format!(
            "{sent} was answered with {}{}, which is not the refusal due ({}): it may have been refused for another reason",
            error.describe(),
            error.description.as_ref().map(|said| format!(" (\"{said}\")")).unwrap_or_default(),
            accepted.join(" or "),
        )),
        TokenAnswer::Odd { why, status, .. } => {
            let hint = if *status >= 500 { "; the server's log says what broke" } else { "" };
            Verdict::inconclusive(format!(
                "{sent} was answered with {why}, which is no refusal (due: {}){hint}",
                accepted.join(" or ")
            ))
        }
    }
}

/// Judges the answer to a well-formed verifier that is not the right one. `invalid_request` may mean anything, but not
/// if its description names the verifier: the code due is another one, and that is a finding of its own.
pub fn verifier_refused(answer: &TokenAnswer, broken: Demand, sent: &str) -> Verdict {
    match answer {
        TokenAnswer::Refused(e) if e.error == "invalid_request" && names_verifier(e.description.as_deref()) => {
            Verdict::pass(format!("{sent} was refused with {}, by name (invalid_grant is due)", e.describe()))
        }
        other => token_refused(other, &["invalid_grant"], broken, sent),
    }
}

fn names_verifier(description: Option<&str>) -> bool {
    let said = description.unwrap_or_default().to_ascii_lowercase().replace([' ', '-'], "_");
    ["code_verif", "codeverif", "pkce", "code_challenge"].iter().any(|word| said.contains(word))
}

/// A line of a table about a token request: the verdict on its answer, or why there is none.
pub fn token_line(
    what: &str,
    answered: Result<TokenAnswer, Trouble>,
    judge: impl FnOnce(&TokenAnswer) -> Verdict,
) -> Finding {
    match answered {
        Ok(answer) => Finding::new(what, judge(&answer)).shown_by([answer.exchange()]),
        Err(trouble) => Finding::new(what, Verdict::inconclusive(trouble.to_string())),
    }
}

/// How the answer to an authorization request that ought to be refused is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It was refused, in a way that says so.
    Recognised(String),
    /// It was not refused: a code, a token.
    Granted,
    /// Neither could be made out.
    Unclear(String),
}

/// Reads the answer to an authorization request that ought to be refused: an error redirect with one of `accepted`, or
/// an error page with a 4xx. A page that names another error, or whose status speaks of the session or of haste, is
/// none: what was odd may not have been looked at.
pub fn front_refusal(answer: &AuthorizationAnswer, accepted: &[&str]) -> Refusal {
    match answer {
        AuthorizationAnswer::Code(_) => Refusal::Granted,
        AuthorizationAnswer::Other(returned) | AuthorizationAnswer::Elsewhere(returned)
            if returned.has_token() || returned.get("code").is_some() =>
        {
            Refusal::Granted
        }
        AuthorizationAnswer::Error(e) if accepted.contains(&e.error.as_str()) => {
            Refusal::Recognised(format!("refused with {}", e.error))
        }
        AuthorizationAnswer::Page(page)
            if page.kind == PageKind::Error
                && (400..500).contains(&page.status)
                && !is_passing(page)
                && (names(page, accepted) || !names(page, &NAMED)) =>
        {
            Refusal::Recognised(format!("refused on {}", page.describe()))
        }
        AuthorizationAnswer::Page(page)
            if page.kind == PageKind::Error && page.status < 400 && names(page, accepted) =>
        {
            Refusal::Recognised(format!("refused on {}", page.describe()))
        }
        other => Refusal::Unclear(format!("answered with {}", other.describe())),
    }
}

/// The error codes of an authorization endpoint that have a meaning of their own (RFC 6749 section 4.1.2.1, RFC 8707,
/// OpenID Connect Core section 3.1.2.6). `invalid_request` is not among them: it may mean anything.
const NAMED: [&str; 11] = [
    "unauthorized_client",
    "access_denied",
    "unsupported_response_type",
    "invalid_scope",
    "invalid_target",
    "server_error",
    "temporarily_unavailable",
    "interaction_required",
    "login_required",
    "account_selection_required",
    "consent_required",
];

/// The errors that speak of the session, the person or the moment, and not of the request.
const PASSING: [&str; 7] = [
    "access_denied",
    "server_error",
    "temporarily_unavailable",
    "interaction_required",
    "login_required",
    "account_selection_required",
    "consent_required",
];

/// Whether an error speaks of the session, the person or the moment: whatever was odd, it was not refused for that.
pub(crate) fn is_passing_error(error: &str) -> bool {
    PASSING.contains(&error)
}

/// The same of an error page, by its status or by what it names: 408, 425 and 429 are haste, 419 and 440 are in wide use
/// for a session that has ended.
pub(crate) fn is_passing(page: &Page) -> bool {
    [408, 419, 425, 429, 440].contains(&page.status) || names(page, &PASSING)
}

fn names(page: &Page, errors: &[&str]) -> bool {
    errors.iter().any(|error| page.says.contains(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{demand, must};
    use crate::document::Document;
    use crate::oauth::answer::{ErrorReturned, Returned};
    use crate::oauth::token::tests::{granted, read, refused};

    const D: Demand = demand("d", &[must(Document::OAuth21, "4.1.3")]);

    fn verdict(answer: &TokenAnswer) -> Verdict {
        token_refused(answer, &["invalid_grant"], D, "it")
    }

    #[test]
    fn a_refusal_is_recognised_never_inferred() {
        assert!(matches!(verdict(&refused(400, "invalid_grant")), Verdict::Pass(_)));
        assert!(matches!(verdict(&refused(403, "invalid_grant")), Verdict::Pass(_)));
        assert!(matches!(verdict(&refused(400, "invalid_client")), Verdict::Inconclusive(_)));
        assert!(matches!(verdict(&read(500, "text/html", "oops")), Verdict::Inconclusive(_)));
        assert!(matches!(verdict(&granted(serde_json::json!({"access_token": "x"}))), Verdict::Fail(..)));
    }

    #[test]
    fn a_verifier_may_be_refused_by_name() {
        let said = |status, error: &str, description: &str| {
            let body = serde_json::json!({"error": error, "error_description": description}).to_string();
            verifier_refused(&read(status, "application/json", &body), D, "it")
        };
        for description in ["code verification failed", "PKCE verification failed", "Code-Verifier does not match"] {
            assert!(matches!(said(401, "invalid_request", description), Verdict::Pass(_)), "{description}");
        }
        for description in ["", "client verification failed", "email is not verified"] {
            assert!(matches!(said(400, "invalid_request", description), Verdict::Inconclusive(_)), "{description}");
        }
        assert!(matches!(said(400, "invalid_client", "PKCE verification failed"), Verdict::Inconclusive(_)));
        assert!(matches!(said(500, "invalid_request", "PKCE verification failed"), Verdict::Inconclusive(_)));
        assert!(matches!(said(400, "invalid_grant", ""), Verdict::Pass(_)));
    }

    #[test]
    fn only_an_error_page_with_a_4xx_refuses() {
        let page = |status, kind| AuthorizationAnswer::Page(Page { status, kind, says: "Oops".into(), exchange: None });
        let read = |answer: &AuthorizationAnswer| front_refusal(answer, &["invalid_request"]);
        assert!(matches!(read(&page(400, PageKind::Error)), Refusal::Recognised(_)));
        assert!(matches!(read(&page(500, PageKind::Error)), Refusal::Unclear(_)));
        assert!(matches!(read(&page(200, PageKind::Error)), Refusal::Unclear(_)));
        assert!(matches!(read(&page(200, PageKind::Login)), Refusal::Unclear(_)));
        assert!(matches!(read(&AuthorizationAnswer::NeverCameBack("gone".into())), Refusal::Unclear(_)));
    }

    #[test]
    fn an_error_page_about_something_else_is_no_refusal() {
        let read = |status, says: &str| {
            let page = Page { status, kind: PageKind::Error, says: says.into(), exchange: None };
            front_refusal(&AuthorizationAnswer::Page(page), &["invalid_request"])
        };
        for says in ["Bad request", "invalid_request: code_challenge is missing", "Page not found"] {
            assert!(matches!(read(400, says), Refusal::Recognised(_)), "{says}");
        }
        for says in ["invalid_scope: unknown", "login_required", "access_denied: your session has ended"] {
            assert!(matches!(read(400, says), Refusal::Unclear(_)), "{says}");
        }
        for status in [408, 419, 429, 440] {
            assert!(matches!(read(status, "Page expired"), Refusal::Unclear(_)), "{status}");
        }
    }

    #[test]
    fn an_unrelated_error_is_unclear_and_a_token_anywhere_is_granted() {
        let returned = Returned::read("http://127.0.0.1/cb#access_token=x", None);
        assert_eq!(front_refusal(&AuthorizationAnswer::Other(returned.clone()), &[]), Refusal::Granted);
        let error = ErrorReturned { error: "login_required".into(), description: None, returned };
        assert!(matches!(front_refusal(&AuthorizationAnswer::Error(error), &["invalid_request"]), Refusal::Unclear(_)));
    }
}
