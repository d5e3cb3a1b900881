//! Judging how a resource took a token that was issued for something else.

use super::described::Described;
use crate::check::{Demand, Verdict};
use crate::resource::Reached;

/// The audiences by which a resource is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    names: Vec<String>,
    beside: Vec<String>,
}

impl Own {
    /// `known`: its identifier and its URL; `taken`: what stands in a token that it takes by right. Where that token
    /// names none of the known ones, it says what the server calls the resource; where it does, what stands beside may
    /// be another name of it or another resource (the endpoint for information about the user).
    pub fn of(known: Vec<String>, taken: Vec<String>) -> Self {
        match taken.iter().any(|aud| known.contains(aud)) {
            true => Self { beside: taken.into_iter().filter(|aud| !known.contains(aud)).collect(), names: known },
            false => Self { names: known.into_iter().chain(taken).collect(), beside: Vec::new() },
        }
    }

    /// Those that are the resource for certain.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Those that may be the resource.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.names().chain(self.beside.iter().map(String::as_str))
    }
}

/// Judges the answer of the resource to a token. `own`: the audiences by which the resource is known. Only an audience that was read and names none of these makes its
/// acceptance a failure of `broken`: an authorization server may ignore `resource` (RFC 8707). `asked_all`: there was
/// nobody else to ask about the token.
pub fn judge_foreign(described: &Described, own: &Own, reached: &Reached, asked_all: bool, broken: Demand) -> Verdict {
    let audience = described.audience_text();
    let is_own = described.is_for_any(own.all());
    match (reached.status, is_own) {
        (200..300, _) if !reached.is_accepted() => {
            Verdict::inconclusive(format!("the resource answered {} to the token", reached.describe()))
        }
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
        let own = Own::of(vec!["https://own".into()], vec!["https://own".into(), "https://as/userinfo".into()]);
        judge_foreign(&described, &own, &Reached::read(&reply(status, &[], "")), true, D)
    }

    #[test]
    fn what_stands_beside_the_resource_is_not_certainly_it() {
        let own = |taken: &[&str]| Own::of(vec!["r".into()], taken.iter().map(|s| (*s).to_owned()).collect());
        assert_eq!(own(&["r", "x"]).names().collect::<Vec<_>>(), ["r"]);
        assert_eq!(own(&["r", "x"]).all().collect::<Vec<_>>(), ["r", "x"]);
        assert_eq!(own(&["x"]).names().collect::<Vec<_>>(), ["r", "x"]);
    }

    #[test]
    fn only_an_audience_that_was_read_fails() {
        assert!(matches!(verdict(Some("https://other"), 200), Verdict::Fail(..)));
        assert!(matches!(verdict(Some("https://other"), 401), Verdict::Pass(_)));
        assert!(matches!(verdict(None, 401), Verdict::Pass(_)));
        assert!(matches!(verdict(Some("https://as/userinfo"), 200), Verdict::Inconclusive(_)));
        assert!(matches!(verdict(None, 200), Verdict::Inconclusive(_)));
        assert!(matches!(verdict(Some("https://own"), 200), Verdict::Inconclusive(_)));
        assert!(matches!(verdict(Some("https://own"), 401), Verdict::Inconclusive(_)));
        for status in [403, 429, 500] {
            assert!(matches!(verdict(Some("https://other"), status), Verdict::Inconclusive(_)), "{status}");
        }
    }
}
