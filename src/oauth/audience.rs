//! Judging how a resource took a token that was issued for something else.

use super::described::Described;
use crate::check::{Demand, Verdict};
use crate::resource::Reached;

/// Judges the answer of the resource to a token. `own` are the audiences by which the resource is known: its identifier
/// and what stands in a token that it takes by right. Only an audience that was read and names none of these makes its
/// acceptance a failure of `broken`: an authorization server may ignore `resource` (RFC 8707). `asked_all`: there was
/// nobody else to ask about the token.
pub fn judge_foreign(
    described: &Described,
    own: &[&str],
    reached: &Reached,
    asked_all: bool,
    broken: Demand,
) -> Verdict {
    let audience = described.audience_text();
    let is_own = described.is_for_any(own.iter().copied());
    match (reached.status, is_own) {
        (401, Some(true)) => Verdict::inconclusive(format!(
            "the resource answered 401 to a token for {audience}, which is its own audience: something else is wrong"
        )),
        (401, Some(false)) => Verdict::pass(format!("the resource answered 401 to a token for {audience}")),
        (401, None) => Verdict::pass("the resource answered 401 to a token that was not issued for it"),
        (200..300, Some(false)) => {
            let status = reached.status;
            Verdict::fail(broken, format!("the resource answered {status} to a token for {audience}"))
        }
        (200..300, Some(true)) => Verdict::inconclusive(format!(
            "the authorization server issued it for {audience} all the same, so there was nothing foreign to show"
        )),
        (200..300, None) if !asked_all => Verdict::NotRun {
            why: "the token cannot be read, and nobody is known who may ask the introspection endpoint about it".into(),
            how: "[introspection] in oaudit.toml".into(),
        },
        (200..300, None) => Verdict::inconclusive(
            "the resource takes the token, and whom it is for can be read nowhere, so it may be for the resource: see in \
             the server's records, or offer introspection and run again",
        ),
        (status, _) => Verdict::inconclusive(format!("the resource answered {status} to the token")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{demand, must};
    use crate::document::Document;
    use crate::wire::message::tests::reply;

    const D: Demand = demand("d", &[must(Document::Rfc9700, "2.3")]);

    fn verdict(aud: Option<&str>, status: u16) -> Verdict {
        let described = Described { audience: aud.map(|aud| vec![aud.to_owned()]), scope: None };
        judge_foreign(&described, &["https://own"], &Reached::read(&reply(status, &[], "")), true, D)
    }

    #[test]
    fn only_an_audience_that_was_read_fails() {
        assert!(matches!(verdict(Some("https://other"), 200), Verdict::Fail(..)));
        assert!(matches!(verdict(Some("https://other"), 401), Verdict::Pass(_)));
        assert!(matches!(verdict(None, 401), Verdict::Pass(_)));
        assert!(matches!(verdict(None, 200), Verdict::Inconclusive(_)));
        assert!(matches!(verdict(Some("https://own"), 200), Verdict::Inconclusive(_)));
        assert!(matches!(verdict(Some("https://own"), 401), Verdict::Inconclusive(_)));
        for status in [403, 429, 500] {
            assert!(matches!(verdict(Some("https://other"), status), Verdict::Inconclusive(_)), "{status}");
        }
    }
}
