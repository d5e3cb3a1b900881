//! The token endpoint names each mistake by its own error code.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, advice, demand, must};
use crate::document::Document;
use crate::needs::{Anonymous, Context};
use crate::oauth::pkce::{Verifier, random_text};
use crate::wire::{Reply, Request};

const NAMED: Demand = demand(
    "Each mistake in a token request is named by the error code that is defined for it.",
    &[must(Document::OAuth21, "3.2.4")],
);
const STATUS: Demand = demand(
    "An error of the token endpoint has status 400, or 401 where the client could not be authenticated.",
    &[must(Document::OAuth21, "3.2.4")],
);
const FORM: Demand = demand(
    "An error of the token endpoint is a JSON object with an error of the characters allowed.",
    &[must(Document::OAuth21, "3.2.4")],
);
const MISSING_IS_INVALID: Demand = demand(
    "A token request without grant_type is answered with invalid_request.",
    &[advice(Document::OAuth21, "3.2.4")],
);

/// The code of that request is made up as well, and which of two mistakes is named is the server's choice.
const CLIENT_FIRST: Demand = demand(
    "A token request of an unknown client is answered with invalid_client, whatever its code.",
    &[advice(Document::OAuth21, "3.2.4")],
);

/// Makes four mistakes.
pub struct ErrorCodes;

impl Check for ErrorCodes {
    type Needs = Anonymous;
    const CARD: Card = Card {
        id: "token/error-codes",
        demands: &[NAMED, STATUS, FORM, MISSING_IS_INVALID, CLIENT_FIRST],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("error_codes.md"),
    };

    async fn run(anonymous: Anonymous, cx: &Context) -> Outcome {
        let (client, endpoint) = (&anonymous.client, anonymous.token_endpoint());
        let own = |pairs: &[(&str, &str)]| {
            client.form(endpoint, pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
        };
        let (code, verifier) = (format!("oaudit-no-such-code-{}", random_text(6)), Verifier::random());
        let redeeming = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &client.redirect_uri),
            ("code_verifier", verifier.expose()),
        ];
        let nobody = format!("oaudit-no-such-client-{}", random_text(6));
        let by_nobody: Vec<(&str, &str)> = redeeming.into_iter().chain([("client_id", nobody.as_str())]).collect();
        let table: [(&str, Request, &str, &[u16]); 4] = [
            (
                "an unknown grant_type",
                own(&[("grant_type", "urn:oaudit:no-such-grant")]),
                "unsupported_grant_type",
                &[400],
            ),
            ("no grant_type", own(&[]), "invalid_request", &[400]),
            ("a code that was never issued", own(&redeeming), "invalid_grant", &[400]),
            ("an unknown client", Request::form(endpoint, &by_nobody), "invalid_client", &[400, 401]),
        ];
        let mut answers = Vec::new();
        for (what, request, error, statuses) in table {
            answers.push((what, cx.wire.send(request.probe()).await, error, statuses));
        }
        let own: Vec<&Reply> = answers
            .iter()
            .filter(|(.., due, _)| *due != "invalid_client")
            .filter_map(|(_, r, ..)| r.as_ref().ok())
            .collect();
        let turned_away = is_turned_away(&own);
        let lines = answers.into_iter().map(|(what, answer, due, statuses)| match answer {
            Ok(reply) if turned_away && due != "invalid_client" => {
                let why = "the client itself is refused, whatever it asks, so that nobody looked at the mistake";
                Finding::new(what, Verdict::inconclusive(why)).shown_by([reply.id])
            }
            Ok(reply) => Finding::new(what, judge(&reply, due, statuses)).shown_by([reply.id]),
            Err(trouble) => Finding::new(what, Verdict::inconclusive(trouble.to_string())),
        });
        let lines = lines.collect();
        Ok(cx.fold(lines, "each mistake is named by its own error code"))
    }
}

/// Whether a client is refused as such in every answer: some servers register public clients and let none in.
fn is_turned_away(answers: &[&Reply]) -> bool {
    let refused = |reply: &&Reply| {
        let json = reply.json();
        let error = json.as_ref().and_then(|j| j.get("error")).and_then(|e| e.as_str());
        matches!(error, Some("invalid_client" | "unauthorized_client"))
    };
    !answers.is_empty() && answers.iter().all(refused)
}

fn judge(reply: &Reply, due: &str, statuses: &[u16]) -> Verdict {
    let status = reply.status;
    if status >= 500 {
        return Verdict::inconclusive(format!("it was answered with a server error ({status})"));
    }
    let json = reply.json();
    let text = |name: &str| json.as_ref().and_then(|j| j.get(name)).and_then(|v| v.as_str());
    if reply.is_success() && text("access_token").is_some() {
        return Verdict::fail(NAMED, "it was answered with an access token");
    }
    let Some(error) = text("error") else {
        return Verdict::fail(FORM, format!("it was answered {status} without a JSON error ({})", reply.media_type()));
    };
    let shown = format!("it was answered with {status} {error}");
    // RFC 6749 appendix A.7: no quotation mark, no backslash, no control character.
    let legal = |s: &str| s.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\');
    if error != due {
        let broken = match (due, error) {
            ("invalid_request", "unsupported_grant_type") => MISSING_IS_INVALID,
            ("invalid_client", "invalid_grant") => CLIENT_FIRST,
            _ => NAMED,
        };
        return Verdict::fail(broken, format!("{shown}, due is {due}"));
    }
    if !statuses.contains(&status) {
        return Verdict::fail(STATUS, format!("{shown}, due is status {}", statuses[0]));
    }
    if reply.media_type() != "application/json" {
        return Verdict::fail(FORM, format!("{shown}, of media type \"{}\"", reply.media_type()));
    }
    let uri_is_legal = text("error_uri").is_none_or(|uri| legal(uri) && !uri.contains(' '));
    if !legal(error) || !text("error_description").is_none_or(legal) || !uri_is_legal {
        return Verdict::fail(
            FORM,
            format!("{shown}, with characters that are not allowed in it, its description or its URI"),
        );
    }
    Verdict::pass(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    fn verdict(status: u16, media_type: &str, body: &str, due: &str) -> Verdict {
        judge(&reply(status, &[("content-type", media_type)], body), due, &[400])
    }

    #[test]
    fn each_defect_breaks_its_own_sentence() {
        let json = "application/json";
        let grant = r#"{"error":"invalid_grant"}"#;
        assert!(matches!(verdict(400, json, grant, "invalid_grant"), Verdict::Pass(_)));
        assert!(matches!(verdict(401, json, grant, "invalid_grant"), Verdict::Fail(STATUS, _)));
        assert!(matches!(verdict(400, json, grant, "invalid_request"), Verdict::Fail(NAMED, _)));
        assert!(matches!(verdict(400, "text/plain", grant, "invalid_grant"), Verdict::Fail(FORM, _)));
        assert!(matches!(verdict(400, "text/html", "<h1>no</h1>", "invalid_grant"), Verdict::Fail(FORM, _)));
        let odd = "{\"error\":\"invalid_grant\",\"error_description\":\"n\u{f6}\"}";
        assert!(matches!(verdict(400, json, odd, "invalid_grant"), Verdict::Fail(FORM, _)));
    }

    #[test]
    fn a_missing_grant_type_may_be_called_unsupported() {
        let body = r#"{"error":"unsupported_grant_type"}"#;
        assert!(matches!(
            verdict(400, "application/json", body, "invalid_request"),
            Verdict::Fail(MISSING_IS_INVALID, _)
        ));
    }

    #[test]
    fn of_two_mistakes_either_may_be_named() {
        let body = r#"{"error":"invalid_grant"}"#;
        assert!(matches!(verdict(400, "application/json", body, "invalid_client"), Verdict::Fail(CLIENT_FIRST, _)));
    }

    #[test]
    fn a_client_that_is_refused_in_every_row_shows_nothing() {
        let answer = |error: &str| reply(401, &[], &format!(r#"{{"error":"{error}"}}"#));
        let (client, grant) = (answer("invalid_client"), answer("invalid_grant"));
        assert!(is_turned_away(&[&client, &client]));
        assert!(!is_turned_away(&[&client, &grant]) && !is_turned_away(&[]));
    }

    #[test]
    fn a_mistake_must_not_be_granted() {
        let token = r#"{"access_token":"x","token_type":"Bearer"}"#;
        assert!(matches!(verdict(200, "application/json", token, "invalid_grant"), Verdict::Fail(NAMED, _)));
    }

    #[test]
    fn a_server_error_is_judged_elsewhere() {
        assert!(matches!(verdict(500, "application/json", r#"{"error":"x"}"#, "x"), Verdict::Inconclusive(_)));
    }
}
