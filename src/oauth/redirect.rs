//! Where the answer to an altered redirect URI went. Addresses are compared as the strings they are.

use url::Url;

use super::answer::{AuthorizationAnswer, PageKind, Returned};
use super::client::Client;
use super::refusal::{is_passing, is_passing_error};
use super::request::same_place;
use crate::check::{Demand, Verdict, advice, demand, should};
use crate::document::Document;

/// A code at the registered URI harms nobody, but a client that mistyped its URI never learns of it.
pub const CODE_AT_REGISTERED: Demand = demand(
    "A request with a redirect URI that is not registered is refused, not answered with a code at the registered one.",
    &[should(Document::OAuth21, "4.1.2.1")],
);

/// An error at the registered URI.
pub const ERROR_AT_REGISTERED: Demand = demand(
    "A redirect URI that is not registered is reported to the person on a page, not to the registered one.",
    &[advice(Document::OAuth21, "4.1.2.1")],
);

/// The redirect URIs of a client that its answers may go to.
pub fn registered(client: &Client) -> Vec<&str> {
    [Some(&client.redirect_uri), client.https_redirect_uri.as_ref()].into_iter().flatten().map(String::as_str).collect()
}

/// Judges the answer to a request whose redirect URI differs from the `registered` ones in its host or path: nothing at
/// all may be sent there, not even an error.
pub fn judge_place(answer: &AuthorizationAnswer, asked: &str, registered: &[&str], broken: Demand) -> Verdict {
    let Some(returned) = answer.returned() else { return judge_unsent(answer) };
    if registered.iter().any(|uri| stands_at(&returned.url, uri)) {
        return judge_registered(answer, returned, REGISTERED);
    }
    if registered.iter().any(|uri| is_with_user(&returned.url, uri)) {
        return judge_registered(
            answer,
            returned,
            "the registered host, but with the user information that was asked for",
        );
    }
    let place = returned.place();
    let brought = brought(returned);
    let there = place == without_query(asked) || host(place).is_some_and(|h| Some(h) == host(asked));
    match (there, brought) {
        (_, Some(brought)) if brought != "an error" => Verdict::fail(broken, format!("{brought} was sent to {place}")),
        (true, brought) => {
            Verdict::fail(broken, format!("the browser was sent to {place} with {}", brought.unwrap_or("no answer")))
        }
        (false, _) => Verdict::inconclusive(format!(
            "the browser was sent to {place}, which is neither registered nor what was asked for"
        )),
    }
}

/// Judges the answer to a request whose redirect URI is a registered one with one parameter more: what counts is
/// whether the redirect carries that parameter.
pub fn judge_query(answer: &AuthorizationAnswer, added: (&str, &str), broken: Demand) -> Verdict {
    let Some(returned) = answer.returned() else { return judge_unsent(answer) };
    let (name, value) = added;
    if returned.query.iter().any(|(n, v)| n == name && v == value) {
        let mut own = returned.clone();
        own.query.retain(|(n, v)| (n.as_str(), v.as_str()) != added);
        let brought = brought(&own).unwrap_or("no answer");
        return Verdict::fail(broken, format!("the redirect carries {name}={value} beside {brought}"));
    }
    match answer {
        AuthorizationAnswer::Elsewhere(_) => match brought(returned) {
            Some(brought) if brought != "an error" => {
                Verdict::fail(broken, format!("{brought} was sent to {}", returned.place()))
            }
            _ => {
                Verdict::inconclusive(format!("the browser was sent to {}, which was not asked for", returned.place()))
            }
        },
        _ => judge_registered(answer, returned, REGISTERED),
    }
}

const REGISTERED: &str = "the registered redirect URI";

fn judge_registered(answer: &AuthorizationAnswer, returned: &Returned, place: &str) -> Verdict {
    match brought(returned) {
        Some("an error") if returned.get("error").is_some_and(is_passing_error) => {
            Verdict::inconclusive(format!("it was answered with {}, which has another cause", answer.describe()))
        }
        Some("an error") => Verdict::fail(
            ERROR_AT_REGISTERED,
            format!("it was refused with {} at {place}", returned.get("error").unwrap_or_default()),
        ),
        Some(brought) => Verdict::fail(CODE_AT_REGISTERED, format!("{brought} was sent to {place}")),
        None => Verdict::inconclusive(format!("it was answered with {}", answer.describe())),
    }
}

/// Nothing was sent anywhere: a pass if a page says that something is wrong.
fn judge_unsent(answer: &AuthorizationAnswer) -> Verdict {
    match answer {
        AuthorizationAnswer::Page(page) if page.kind == PageKind::Error && page.status < 500 && !is_passing(page) => {
            Verdict::pass(format!("it was refused on {}", page.describe()))
        }
        other => Verdict::inconclusive(format!("it ended with {}, which is no refusal", other.describe())),
    }
}

fn brought(returned: &Returned) -> Option<&'static str> {
    let has = |name: &str| returned.get(name).is_some_and(|v| !v.is_empty());
    // An error first: `?code=…` may be what we asked for ourselves.
    match () {
        () if returned.has_token() => Some("an access token"),
        () if has("error") => Some("an error"),
        () if has("code") => Some("a code"),
        () => None,
    }
}

/// Whether an address is a redirect URI with an answer added to it.
fn stands_at(address: &str, redirect_uri: &str) -> bool {
    let rest = address.strip_prefix(without_query(redirect_uri));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['?', '#']))
}

/// Whether an address is a redirect URI with user information before its host: no exact match, but a browser ends at
/// the registered place all the same.
fn is_with_user(address: &str, redirect_uri: &str) -> bool {
    let has_user = Url::parse(address).is_ok_and(|u| !u.username().is_empty() || u.password().is_some());
    has_user && same_place(address, redirect_uri)
}

fn without_query(uri: &str) -> &str {
    uri.split(['?', '#']).next().unwrap_or_default()
}

/// Host and port, as a browser reads them.
fn host(address: &str) -> Option<(String, Option<u16>)> {
    let url = Url::parse(address).ok()?;
    Some((url.host_str()?.to_owned(), url.port_or_known_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::must;
    use crate::oauth::answer::tests::{arrived, page};

    const HOME: &str = "http://127.0.0.1:8765/callback";
    const D: Demand = demand("d", &[must(Document::OAuth21, "2.3.1")]);

    fn place(asked: &str, landed: &str) -> Verdict {
        judge_place(&arrived(asked, landed), asked, &[HOME], D)
    }

    fn broken(verdict: &Verdict) -> Option<Demand> {
        if let Verdict::Fail(broken, _) = verdict { Some(*broken) } else { None }
    }

    #[test]
    fn nothing_may_be_sent_to_what_is_not_registered() {
        let evil = "http://evil.test:8765/callback";
        for answer in ["?code=x", "?error=invalid_request&state=s", "#access_token=x", ""] {
            assert_eq!(broken(&place(evil, &format!("{evil}{answer}"))), Some(D), "{answer}");
        }
        // Another reading of the same odd address, and a path that only a parser would call the registered one.
        assert_eq!(
            broken(&place("http://evil.test\\@127.0.0.1:8765/callback", "http://evil.test/@127.0.0.1?code=x")),
            Some(D)
        );
        let dots = "http://127.0.0.1:8765/oaudit/../callback";
        assert_eq!(broken(&place(dots, &format!("{dots}?code=x"))), Some(D));
        assert_eq!(broken(&place(dots, "http://unrelated.test/?code=x")), Some(D));
    }

    #[test]
    fn user_information_before_the_registered_host_leads_there() {
        let respelled = "http://evil.test%2f@127.0.0.1:8765/callback";
        assert_eq!(broken(&place(respelled, &format!("{respelled}?code=x"))), Some(CODE_AT_REGISTERED));
        let abroad = "http://127.0.0.1:8765@evil.test/callback";
        assert_eq!(broken(&place(abroad, &format!("{abroad}?code=x"))), Some(D));
    }

    #[test]
    fn the_registered_one_is_the_lesser_evil() {
        let evil = "http://evil.test/callback";
        assert_eq!(broken(&place(evil, &format!("{HOME}?code=x"))), Some(CODE_AT_REGISTERED));
        assert_eq!(broken(&place(evil, &format!("{HOME}?error=invalid_request"))), Some(ERROR_AT_REGISTERED));
        assert!(matches!(place(evil, HOME), Verdict::Inconclusive(_)));
        assert!(matches!(place(evil, &format!("{HOME}?error=login_required")), Verdict::Inconclusive(_)));
        assert!(matches!(place(evil, "https://errors.example/?error=x&state=s"), Verdict::Inconclusive(_)));
    }

    #[test]
    fn only_an_error_page_is_a_refusal() {
        let judge = |answer| judge_place(&answer, "http://evil.test/", &[HOME], D);
        assert!(matches!(judge(page(400, PageKind::Error)), Verdict::Pass(_)));
        assert!(matches!(judge(page(200, PageKind::Error)), Verdict::Pass(_)));
        for answer in [page(500, PageKind::Error), page(200, PageKind::Login), page(200, PageKind::Unknown)] {
            assert!(matches!(judge(answer), Verdict::Inconclusive(_)));
        }
        assert!(matches!(judge(page(419, PageKind::Error)), Verdict::Inconclusive(_)));
        let gone = AuthorizationAnswer::NeverCameBack("gone".into());
        assert!(matches!(judge(gone), Verdict::Inconclusive(_)));
    }

    #[test]
    fn an_added_parameter_must_not_come_back() {
        let judge = |landed: &str, added| judge_query(&arrived(&format!("{HOME}?oaudit=1"), landed), added, D);
        assert_eq!(broken(&judge(&format!("{HOME}?oaudit=1&code=x"), ("oaudit", "1"))), Some(D));
        assert_eq!(broken(&judge(&format!("{HOME}?oaudit=1&error=x"), ("oaudit", "1"))), Some(D));
        assert_eq!(broken(&judge(&format!("{HOME}?code=x"), ("oaudit", "1"))), Some(CODE_AT_REGISTERED));
        assert_eq!(broken(&judge(&format!("{HOME}?code=made-up&code=x"), ("code", "made-up"))), Some(D));
        assert_eq!(broken(&judge(&format!("{HOME}?code=x"), ("code", "made-up"))), Some(CODE_AT_REGISTERED));
        assert_eq!(broken(&judge("https://other.test/?code=x", ("oaudit", "1"))), Some(D));
        assert!(matches!(judge("https://other.test/?error=x", ("oaudit", "1")), Verdict::Inconclusive(_)));
    }
}
