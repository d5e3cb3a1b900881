//! Scope lists: space-delimited, unordered, case-sensitive (RFC 6749 section 3.3).

use std::collections::BTreeSet;

/// A set of scope tokens, in the order first given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeSet(Vec<String>);

/// Scopes that ask for a feature rather than for access; comparisons leave them out.
const FEATURES: [&str; 2] = ["openid", "offline_access"];

/// Scopes that give claims about a person (OpenID Connect Core section 5.4): a token for a resource may leave them out.
const IDENTITY: [&str; 4] = ["profile", "email", "address", "phone"];

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

    /// [`access`](Self::access) without what gives claims about a person: what a token for a resource must have.
    #[must_use]
    pub fn of_resource(&self) -> Self {
        self.iter().filter(|s| !FEATURES.contains(s) && !IDENTITY.contains(s)).collect()
    }

    /// How a scope is spelled here: some servers state it with its resource before it (`api://notes/notes.read`), and
    /// write it into the token without. One that is not here stays as it is.
    pub fn spelling<'a>(&'a self, scope: &'a str) -> &'a str {
        let is_same = |long: &&str| long.strip_suffix(scope).is_some_and(|rest| rest.ends_with('/'));
        match self.contains(scope) {
            true => scope,
            false => self.iter().find(is_same).unwrap_or(scope),
        }
    }

    /// The same, spelled as in `other`.
    #[must_use]
    pub fn spelled_as(&self, other: &Self) -> Self {
        self.iter().map(|scope| other.spelling(scope)).collect()
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

    #[test]
    fn what_is_stated_with_its_resource_is_known_again() {
        let spelled = |has: &str, told: &str| ScopeSet::parse(has).spelled_as(&ScopeSet::parse(told)).to_string();
        assert_eq!(spelled("read write", "api://notes/read openid"), "api://notes/read write");
        assert_eq!(spelled("read", "read api://notes/read"), "read");
        assert_eq!(spelled("ad", "api://notes/read bad"), "ad");
        assert_eq!(ScopeSet::parse("openid email notes:read phone").of_resource().to_string(), "notes:read");
    }
}
