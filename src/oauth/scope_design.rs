//! Judges the design of a list of scopes, and proposes better names. Pure: the same words for a server's metadata, a file
//! and the command line.
//!
//! What is in use on the large platforms is a style, not a mistake: `repo:status` and `read:org`, `channels:history`,
//! `calendar.readonly` behind a URL, `Files.Read.All`, URNs. What counts is that a list keeps to one.

mod name;

use std::collections::HashSet;

use name::{Family, Name, Order};

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// The characters that RFC 6749 section 3.3 allows.
    WellFormed,
    /// One entry holds one scope: a comma is legal, but nobody means it.
    OneEach,
    /// No scope stands for everything.
    Granular,
    /// One style of names.
    ConsistentNaming,
    /// What may be written may also be only read.
    ReadWriteSeparated,
    /// Administration stands apart.
    AdminSeparated,
    /// As many scopes as a person can tell apart.
    ManageableCount,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 7] = [
        Self::WellFormed,
        Self::OneEach,
        Self::Granular,
        Self::ConsistentNaming,
        Self::ReadWriteSeparated,
        Self::AdminSeparated,
        Self::ManageableCount,
    ];

    /// The check that judges by it, and which of its demands it is.
    pub const fn check(self) -> (&'static str, usize) {
        match self {
            Self::WellFormed => ("scope/well-formed", 0),
            Self::OneEach => ("scope/well-formed", 1),
            Self::Granular => ("scope/granular", 0),
            Self::ConsistentNaming => ("scope/consistent-naming", 0),
            Self::ReadWriteSeparated => ("scope/read-write-separated", 0),
            Self::AdminSeparated => ("scope/admin-separated", 0),
            Self::ManageableCount => ("scope/manageable-count", 0),
        }
    }
}

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The rule.
    pub rule: Rule,
    /// The scope; the whole list for a rule about it.
    pub scope: String,
    /// What is wrong.
    pub why: String,
    /// What would be better, if that can be said.
    pub better: Option<String>,
}

/// The scopes, and what is known of them.
#[derive(Debug, Clone, Default)]
pub struct Advertised<'a> {
    /// Every scope, as it stands: one entry of a list, whatever is in it.
    pub scopes: Vec<&'a str>,
    /// Those that a client asks for if nobody says otherwise.
    pub by_default: Vec<&'a str>,
}

/// What a reader of the list can set.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// How many scopes a person can tell apart.
    pub count: usize,
    /// Further scopes that stand for everything.
    pub omnibus: &'a [String],
}

/// Scopes of OpenID Connect: their names are given, and they are about a person or a feature.
const OPENID: [&str; 7] = ["openid", "profile", "email", "address", "phone", "offline_access", "device_sso"];

/// Scopes that stand for everything, in lower case.
const OMNIBUS: [&str; 28] = [
    "*",
    "all",
    "any",
    "everything",
    "full",
    "full_access",
    "full-access",
    "fullaccess",
    "full:access",
    "access:full",
    "access:all",
    "all:access",
    "all_access",
    "all-access",
    "admin",
    "admin:all",
    "all:admin",
    "api",
    "api:access",
    "access:api",
    "api:all",
    "api:full",
    "root",
    "superuser",
    "sudo",
    "user:data",
    "read_write_all",
    "all:all",
];

/// Whether a scope stands for everything.
pub fn is_omnibus(scope: &str, further: &[String]) -> bool {
    let lower = scope.to_ascii_lowercase();
    let wildcard = lower.split([':', '.', '/']).any(|segment| segment == "*");
    wildcard || OMNIBUS.contains(&lower.as_str()) || further.iter().any(|f| f == scope)
}

/// Whether OpenID Connect gives a scope its name.
pub fn is_openid(scope: &str) -> bool {
    OPENID.contains(&scope)
}

/// Judges a list by every rule. The remarks stand in the order of the rules, then of the list.
pub fn judge(advertised: &Advertised<'_>, limits: Limits<'_>) -> Vec<Remark> {
    let mut remarks: Vec<Remark> = advertised.scopes.iter().filter_map(|scope| well_formed(scope)).collect();
    // What is no scope has no name to be judged.
    let malformed: HashSet<String> = remarks.iter().map(|remark| remark.scope.clone()).collect();
    let sound = |scope: &&str| !malformed.contains(*scope) && !is_openid(scope);
    let own: Vec<&str> = unique(advertised.scopes.iter().copied().filter(sound));
    let named: Vec<Name<'_>> = own.iter().filter(|s| !is_omnibus(s, limits.omnibus)).map(|s| Name::read(s)).collect();
    let style = Style::of(&named);
    remarks.extend(own.iter().filter(|s| is_omnibus(s, limits.omnibus)).map(|s| omnibus(s, &named, style)));
    remarks.extend(naming(&named, style));
    remarks.extend(read_and_write(&named));
    remarks.extend(administration(&named, advertised, limits));
    remarks.extend(count(&own, &named, limits));
    remarks
}

fn unique<'a>(scopes: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    scopes.filter(|scope| seen.insert(*scope)).collect()
}

fn remark(rule: Rule, scope: &str, why: impl Into<String>, better: Option<String>) -> Option<Remark> {
    Some(Remark { rule, scope: scope.to_owned(), why: why.into(), better })
}

fn well_formed(scope: &str) -> Option<Remark> {
    let parts = || scope.split([' ', ',', ';', '"', '\'']).filter(|p| !p.is_empty()).collect::<Vec<_>>();
    let split = || (parts().len() > 1).then(|| format!("{} entries: {}", parts().len(), parts().join(", ")));
    // scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
    let illegal = scope.chars().find(|c| !matches!(c, '\u{21}' | '\u{23}'..='\u{5b}' | '\u{5d}'..='\u{7e}'));
    match illegal {
        _ if scope.is_empty() => remark(Rule::WellFormed, scope, "an entry is empty", None),
        Some(' ') => {
            remark(Rule::WellFormed, scope, "a space stands inside of one entry: it looks like several scopes", split())
        }
        Some('"') => remark(Rule::WellFormed, scope, "a quotation mark stands in it", Some(parts().join(" "))),
        Some(c) => remark(
            Rule::WellFormed,
            scope,
            format!("the character {} is not legal in a scope", c.escape_unicode()),
            None,
        ),
        None if scope.contains(',') => {
            remark(Rule::OneEach, scope, "a comma stands inside of one entry: scopes are separated by spaces", split())
        }
        None => None,
    }
}

/// The style of most of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Style {
    family: Option<Family>,
    order: Option<Order>,
}

impl Style {
    fn of(names: &[Name<'_>]) -> Self {
        let families = names.iter().filter_map(|n| n.family);
        let family = most(families);
        // The order of a Microsoft, URL or URN name is fixed.
        let order = most(names.iter().filter(|n| n.family == family).filter_map(Name::order));
        Self { family, order }
    }
}

/// The most frequent; of equals the first.
fn most<T: PartialEq + Copy>(all: impl Iterator<Item = T>) -> Option<T> {
    let all: Vec<T> = all.collect();
    let times = |t: &T| all.iter().filter(|o| *o == t).count();
    all.iter().rev().max_by_key(|t| times(t)).copied()
}

fn omnibus(scope: &str, names: &[Name<'_>], style: Style) -> Remark {
    let resource = names.iter().find_map(|n| n.resource()).unwrap_or_else(|| "files".into());
    let [read, write] = ["read", "write"].map(|action| name::render(&resource, action, style.family, style.order));
    let why = "it stands for everything, so a client that needs a little has to be given all of it";
    Remark {
        rule: Rule::Granular,
        scope: scope.to_owned(),
        why: why.into(),
        better: Some(format!("a scope for each resource and action, such as {read} and {write}")),
    }
}

fn naming(names: &[Name<'_>], style: Style) -> Vec<Remark> {
    let judge = |n: &Name<'_>| {
        let family = n.family?;
        let usual = style.family?;
        if family != usual {
            let why = format!("it is written {}, most others {}", family.describe(), usual.describe());
            return remark(Rule::ConsistentNaming, n.scope, why, n.rewritten(usual, style.order));
        }
        if let (Some(order), Some(usual)) = (n.order(), style.order)
            && order != usual
        {
            let why = format!("its {}, the others' {}", order.describe(), usual.describe());
            return remark(Rule::ConsistentNaming, n.scope, why, n.rewritten(family, style.order));
        }
        if let Some(lower) = n.lower_case() {
            return remark(
                Rule::ConsistentNaming,
                n.scope,
                "it begins with capitals; scopes are compared letter by letter",
                Some(lower),
            );
        }
        if n.is_too_deep() {
            let why = format!("it has {} levels; more than three are hard to tell apart", n.segments.len());
            return remark(Rule::ConsistentNaming, n.scope, why, n.flatter());
        }
        None
    };
    names.iter().filter_map(judge).collect()
}

fn read_and_write(names: &[Name<'_>]) -> Vec<Remark> {
    let readable = |resource: &str| {
        let reads = |n: &&Name<'_>| n.reads() && n.resource().unwrap_or_default().eq_ignore_ascii_case(resource);
        names.iter().any(|n| reads(&n))
    };
    let mut told: Vec<String> = Vec::new();
    let judge = |n: &Name<'_>| {
        let resource = n.resource().unwrap_or_default().to_ascii_lowercase();
        if !n.writes() || readable(&resource) || told.contains(&resource) {
            return None;
        }
        told.push(resource);
        let why = "it allows to write, and there is no scope that allows no more than to read the same";
        remark(Rule::ReadWriteSeparated, n.scope, why, n.with_action("read").map(|read| format!("add {read}")))
    };
    names.iter().filter_map(judge).collect()
}

fn administration(names: &[Name<'_>], advertised: &Advertised<'_>, limits: Limits<'_>) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for n in names.iter().filter(|n| n.administers()) {
        if !n.is_under_admin() {
            let why = "administration has no prefix of its own, so that it cannot be told apart at a glance";
            remarks.extend(remark(Rule::AdminSeparated, n.scope, why, n.under_admin()));
        }
    }
    let admin = |scope: &&str| -> bool {
        let omnibus = is_omnibus(scope, limits.omnibus) && scope.to_ascii_lowercase().contains("admin");
        omnibus || names.iter().any(|n| n.scope == *scope && n.administers())
    };
    for scope in unique(advertised.by_default.iter().copied().filter(admin)) {
        let why = "every client asks for it that is not told what to ask for";
        let better = "leave it out of the challenge, and out of the resource's list if the challenge names no scope";
        remarks.extend(remark(Rule::AdminSeparated, scope, why, Some(better.into())));
    }
    remarks
}

fn count(own: &[&str], names: &[Name<'_>], limits: Limits<'_>) -> Option<Remark> {
    let many = own.len();
    if many > limits.count {
        let why = format!("there are {many} scopes; a person can tell {} apart at most", limits.count);
        let better = format!("join what is always asked for together, down to {} or fewer", limits.count);
        return remark(Rule::ManageableCount, &format!("{many} scopes"), why, Some(better));
    }
    // One scope that says what it is for may be all that a small server has.
    match (own, names) {
        ([scope], [name]) if name.family.is_none() => {
            let why = "it is the only scope, and says nothing of what it allows";
            remark(Rule::ManageableCount, scope, why, Some(format!("{scope}:read and {scope}:write")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
