//! The approval checklist for ChatGPT apps, answered by the checks: each of its points, and the five commands that the
//! guides have people type before they submit.

use serde::{Deserialize, Serialize};

use crate::report::{CheckLine, ResultKind, Word};

/// A point of the checklist and the checks that decide it.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    /// The heading that it stands under.
    pub section: &'static str,
    /// The point, in words of ours.
    pub item: &'static str,
    /// The checks.
    pub checks: &'static [&'static str],
}

const fn item(section: &'static str, item: &'static str, checks: &'static [&'static str]) -> Item {
    Item { section, item, checks }
}

const AUTHENTICATION: &str = "Authentication";
const ENDPOINTS: &str = "Endpoints and metadata";
const TOKENS: &str = "Token management";
const SECURITY: &str = "Security";
const COMMANDS: &str = "Before you submit";

/// The checklist, in its order.
pub const ITEMS: &[Item] = &[
    item(
        AUTHENTICATION,
        "OAuth 2.1 flow",
        &[
            "authorization/code-flow-works",
            "redirect_uri/foreign-host-refused",
            "redirect_uri/path-exact",
            "redirect_uri/query-exact",
            "redirect_uri/chatgpt-allowed",
            "code/single-use",
            "code/bound-to-client",
            "token/response-format",
        ],
    ),
    item(
        AUTHENTICATION,
        "PKCE with S256 code challenge",
        &[
            "server_metadata/s256-advertised",
            "server_metadata/plain-not-advertised",
            "pkce/required",
            "pkce/plain-refused",
            "pkce/verifier-enforced",
            "pkce/verifier-required",
        ],
    ),
    item(
        AUTHENTICATION,
        "Authorization-code grant only",
        &[
            "authorization/code-flow-works",
            "authorization/returns-code-not-token",
            "server_metadata/no-implicit-advertised",
            "server_metadata/no-password-advertised",
        ],
    ),
    item(
        AUTHENTICATION,
        "No implicit or password grant",
        &[
            "authorization/implicit-refused",
            "server_metadata/no-implicit-advertised",
            "token/password-grant-refused",
            "server_metadata/no-password-advertised",
        ],
    ),
    item(
        ENDPOINTS,
        "Protected resource metadata published",
        &[
            "resource_metadata/published",
            "resource_metadata/resource-matches",
            "resource_metadata/authorization-servers-listed",
            "resource_metadata/challenge-points-to-metadata",
        ],
    ),
    item(
        ENDPOINTS,
        "Authorization endpoint returns a code, not a token",
        &["authorization/returns-code-not-token", "authorization/implicit-refused"],
    ),
    item(ENDPOINTS, "Token endpoint over HTTPS only", &["server_metadata/https-everywhere", "transport/https-only"]),
    item(
        ENDPOINTS,
        "Revocation endpoint implemented",
        &[
            "server_metadata/revocation-advertised",
            "revocation/unknown-token-ok",
            "revocation/access-token",
            "revocation/refresh-token",
        ],
    ),
    item(
        TOKENS,
        "Access tokens expire (15 minutes recommended)",
        &["access_token/short-lived", "resource/expired-token-refused"],
    ),
    item(
        TOKENS,
        "Refresh tokens for offline access",
        &["server_metadata/refresh-advertised", "refresh/issued", "refresh/works"],
    ),
    item(
        TOKENS,
        "Refresh tokens rotate",
        &["refresh/rotated", "refresh/old-token-refused", "refresh/reuse-revokes-family"],
    ),
    item(
        TOKENS,
        "Tokens never logged or exposed in error messages",
        &[
            "token/errors-leak-nothing",
            "hygiene/no-secret-in-errors",
            "hygiene/no-secret-in-url",
            "hygiene/no-token-in-logs",
        ],
    ),
    item(
        SECURITY,
        "Tokens validated by the server",
        &[
            "resource/accepts-valid-token",
            "resource/bad-token-401-not-500",
            "resource/tampered-token-refused",
            "resource/alg-none-refused",
            "resource/key-confusion-refused",
            "resource/foreign-issuer-refused",
            "resource/foreign-audience-refused",
            "resource/query-token-ignored",
        ],
    ),
    item(
        SECURITY,
        "Access controlled by scopes",
        &[
            "resource/scope-enforced",
            "scope/narrow-request-honoured",
            "scope/unknown-scope-not-granted",
            "refresh/scope-not-widened",
        ],
    ),
    item(
        SECURITY,
        "Tokens can be revoked",
        &["revocation/access-token", "revocation/refresh-token", "revocation/cascades"],
    ),
    item(SECURITY, "State parameter protected", &["authorization/state-returned"]),
    item(COMMANDS, "The metadata endpoints answer", &["resource_metadata/published", "server_metadata/published"]),
    item(COMMANDS, "The authorization flow works", &["authorization/code-flow-works"]),
    item(
        COMMANDS,
        "An invalid token gets 401, not 500 and not 200",
        &["resource/bad-token-401-not-500", "resource_metadata/challenge-401"],
    ),
    item(COMMANDS, "No token stands in the logs", &["hygiene/no-token-in-logs"]),
    item(
        COMMANDS,
        "HTTPS everywhere",
        &[
            "server_metadata/https-everywhere",
            "transport/https-only",
            "transport/certificate-valid",
            "transport/tls-1.2-or-newer",
        ],
    ),
];

/// An answered point.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChecklistLine {
    /// The heading that it stands under.
    #[serde(deserialize_with = "crate::report::kept::text")]
    pub section: Word,
    /// The point.
    #[serde(deserialize_with = "crate::report::kept::text")]
    pub item: Word,
    /// The answer.
    pub result: ResultKind,
    /// What the answer rests on, in one sentence.
    pub because: String,
    /// The checks that decide it.
    #[serde(deserialize_with = "crate::report::kept::list")]
    pub checks: Vec<Word>,
}

/// Answers every point from the lines of a report.
///
/// `plain_http`: the server was audited over plain http, which the checks let pass on loopback. What is asked of the server
/// that will be submitted cannot be told from that.
pub fn answer(lines: &[CheckLine], plain_http: bool) -> Vec<ChecklistLine> {
    let mut answers: Vec<ChecklistLine> = ITEMS.iter().map(|item| one(item, lines)).collect();
    let about_https = |line: &&mut ChecklistLine| line.checks.contains(&"server_metadata/https-everywhere");
    if plain_http {
        for line in answers.iter_mut().filter(about_https).filter(|line| line.result == ResultKind::Pass) {
            line.result = ResultKind::NotApplicable;
            line.because =
                "plain http on loopback, as in development, says nothing of the server to be submitted".into();
        }
    }
    answers
}

/// The gravest result decides. Green takes one check that held and none that was left open; what does not apply to a
/// server counts neither way.
fn one(item: &Item, lines: &[CheckLine]) -> ChecklistLine {
    let results: Vec<(&'static str, ResultKind)> = item
        .checks
        .iter()
        // A check that was left out of the run was not run.
        .map(|id| (*id, lines.iter().find(|l| l.id == *id).map_or(ResultKind::NotRun, |line| line.result)))
        .collect();
    let gravest = results.iter().map(|(_, r)| *r).max_by_key(|r| weight(*r)).unwrap_or(ResultKind::NotRun);
    let deciding: Vec<&str> = results.iter().filter(|(_, r)| *r == gravest).map(|(id, _)| *id).collect();
    let because = match gravest {
        ResultKind::Pass => format!("{} held", count(deciding.len())),
        ResultKind::NotApplicable => "none of its checks applies to this server".into(),
        _ => format!("see {}", deciding.join(", ")),
    };
    ChecklistLine {
        section: item.section,
        item: item.item,
        result: gravest,
        because,
        checks: results.into_iter().map(|(id, _)| id).collect(),
    }
}

fn count(checks: usize) -> String {
    format!("{checks} {}", if checks == 1 { "check" } else { "checks" })
}

/// What outweighs what: the answer to a point is the heaviest of its results.
const fn weight(result: ResultKind) -> u8 {
    match result {
        ResultKind::Fail => 7,
        ResultKind::Warn => 6,
        ResultKind::Inconclusive => 5,
        ResultKind::NotRun => 4,
        ResultKind::Waived => 3,
        ResultKind::Note => 2,
        ResultKind::Pass => 1,
        ResultKind::NotApplicable => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::line;

    const ITEM: Item = item("S", "I", &["a/one", "a/two"]);

    fn folded(one_is: ResultKind, two_is: ResultKind) -> ResultKind {
        one(&ITEM, &[line("a/one", one_is), line("a/two", two_is)]).result
    }

    #[test]
    fn the_gravest_result_decides() {
        use ResultKind::{Fail, Inconclusive, NotApplicable, NotRun, Note, Pass, Waived, Warn};
        assert_eq!(folded(Warn, Fail), Fail);
        assert_eq!(folded(Warn, Inconclusive), Warn);
        assert_eq!(folded(Pass, Inconclusive), Inconclusive);
        assert_eq!(folded(Pass, NotRun), NotRun);
        assert_eq!(folded(Pass, Waived), Waived);
        assert_eq!(folded(Pass, Note), Note);
        assert_eq!(folded(Pass, NotApplicable), Pass);
        assert_eq!(folded(NotApplicable, NotApplicable), NotApplicable);
        assert_eq!(folded(Pass, Pass), Pass);
    }

    #[test]
    fn a_check_that_was_left_out_is_never_green() {
        let answered = one(&ITEM, &[line("a/one", ResultKind::Pass)]);
        assert_eq!((answered.result, answered.because.as_str()), (ResultKind::NotRun, "see a/two"));
        let nothing = one(&ITEM, &[]);
        assert_eq!(nothing.result, ResultKind::NotRun);
        assert!(
            answer(&[], false).iter().all(|line| line.result == ResultKind::NotRun),
            "an empty run answers nothing"
        );
    }

    #[test]
    fn plain_http_is_no_https_even_where_it_may_be() {
        let lines: Vec<CheckLine> = ITEMS.iter().flat_map(|i| i.checks).map(|id| line(id, ResultKind::Pass)).collect();
        assert!(answer(&lines, false).iter().all(|l| l.result == ResultKind::Pass));
        let local = answer(&lines, true);
        let not_green: Vec<_> = local.iter().filter(|l| l.result != ResultKind::Pass).collect();
        assert_eq!(not_green.len(), 2, "{not_green:?}");
        assert!(not_green.iter().all(|l| l.result == ResultKind::NotApplicable && l.item.contains("HTTPS")));
    }

    #[test]
    fn sixteen_points_and_five_commands_each_decided_by_known_checks() {
        let of = |section: &str| ITEMS.iter().filter(|i| i.section == section).count();
        assert_eq!([AUTHENTICATION, ENDPOINTS, TOKENS, SECURITY, COMMANDS].map(of), [4, 4, 4, 4, 5]);
        for id in ITEMS.iter().flat_map(|i| i.checks) {
            let exists = crate::checks::ALL.iter().any(|c| c.card().id == *id);
            assert!(exists, "{id} is no check");
        }
        assert!(ITEMS.iter().all(|i| !i.checks.is_empty()));
    }
}
