//! Scope lists: space-delimited, unordered, case-sensitive (RFC 6749 section 3.3).

use std::collections::BTreeSet;

/// A set of scope tokens, in the order first given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeSet(Vec<String>);

/// Scopes that ask for a feature rather than for access; comparisons leave them out.
const FEATURES: [&str; 2] = ["openid", "offline_access"];

impl ScopeSet {
    /// The scopes of a `scope` parameter.
    pub fn parse(text: &str) -> Self {
        text.split(' ').filter(|s| !s.is_empty()).collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a scope is among them.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|s| s == scope)
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The same with one more.
    #[must_use]
    pub fn with(&self, scope: &str) -> Self {
        self.iter().chain([scope]).collect()
    }

    /// Without `openid` and `offline_access`, which servers add and drop as they like.
    #[must_use]
    pub fn access(&self) -> Self {
        self.iter().filter(|s| !FEATURES.contains(s)).collect()
    }

    /// `openid` and `offline_access` alone, as far as they are there.
    #[must_use]
    pub fn features(&self) -> Self {
        self.iter().filter(|s| FEATURES.contains(s)).collect()
    }

    /// Those that are not in `other`.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Self {
        let other: BTreeSet<&str> = other.iter().collect();
        self.iter().filter(|s| !other.contains(s)).collect()
    }

    /// Whether both give the same access, whatever the order.
    pub fn same_access(&self, other: &Self) -> bool {
        let set = |s: &Self| s.access().0.into_iter().collect::<BTreeSet<_>>();
        set(self) == set(other)
    }
}

impl<'a> FromIterator<&'a str> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = &'a str>>(scopes: I) -> Self {
        let mut seen = BTreeSet::new();
        Self(scopes.into_iter().filter(|scope| seen.insert(*scope)).map(str::to_owned).collect())
    }
}

impl std::fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_features_do_not_matter() {
        let asked = ScopeSet::parse("b a  openid");
        assert!(asked.same_access(&ScopeSet::parse("a b offline_access")));
        assert_eq!(ScopeSet::parse("a b c").beyond(&asked).to_string(), "c");
        assert_eq!(asked.with("a").len(), 3);
    }
}
