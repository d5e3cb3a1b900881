//! What can be asked of a value: a closed list, so that a rule can look and do nothing else.
//!
//! Some predicates *ask* for something and are broken where nothing is; the others *forbid*, and hold there.

use regex_lite::{Regex, RegexBuilder};
use serde_json::Value;

use crate::discovery::kind;
use crate::wire::guard::is_loopback_url;

/// One question.
#[derive(Debug, Clone)]
pub(super) enum Predicate {
    Exists,
    Absent,
    Equals(Value),
    OneOf(Vec<Value>),
    Contains(Value),
    ContainsNoneOf(Vec<Value>),
    Only(Vec<Value>),
    Matches(Pattern),
    Type(Type),
    Https,
    SameOriginAsIssuer,
    AtMost(f64),
    AtLeast(f64),
    Unique,
}

impl Predicate {
    /// The names, in the order in which they are judged: what a reader wants to know first comes first.
    pub(super) const NAMES: [&str; 14] = [
        "exists",
        "absent",
        "type",
        "equals",
        "one-of",
        "contains",
        "contains-none-of",
        "only",
        "matches",
        "https",
        "same-origin-as-issuer",
        "at-most",
        "at-least",
        "unique",
    ];

    /// Whether it is broken where nothing is.
    pub(super) fn asks(&self) -> bool {
        !matches!(self, Self::Absent | Self::ContainsNoneOf(_) | Self::Only(_) | Self::Unique)
    }

    /// What is wrong with a value, behind the name of its place; `None` if it holds. Whether a value is unique depends
    /// on the others and is not judged here.
    pub(super) fn complaint(&self, value: &Value, issuer: &str) -> Option<String> {
        let is = |but: &str| Some(format!("is {}, {but}", show(value)));
        match self {
            Self::Exists | Self::Unique => None,
            // What must not be there may be a secret: it is named, and not shown.
            Self::Absent => Some("is there".into()),
            Self::Type(due) if due.fits(value) => None,
            Self::Type(due) => is(&format!("{} is due", due.describe())),
            Self::Equals(due) if same(value, due) => None,
            Self::Equals(due) => is(&format!("not {}", show(due))),
            Self::OneOf(dues) if dues.iter().any(|due| same(value, due)) => None,
            Self::OneOf(dues) => is(&format!("which is none of {}", several(dues))),
            Self::Contains(due) => match listed(value) {
                Some(items) if items.iter().any(|item| same(item, due)) => None,
                Some(_) => is(&format!("without {}", show(due))),
                None => is("which is no list"),
            },
            Self::ContainsNoneOf(banned) => {
                let items = listed(value).unwrap_or_else(|| vec![value.clone()]);
                let found: Vec<Value> = banned.iter().filter(|b| items.iter().any(|i| same(i, b))).cloned().collect();
                if found.is_empty() { None } else { is(&format!("with {}", several(&found))) }
            }
            Self::Only(known) => {
                let items = listed(value).unwrap_or_else(|| vec![value.clone()]);
                let strange: Vec<Value> =
                    items.into_iter().filter(|i| !known.iter().any(|k| same(i, k))).take(5).collect();
                if strange.is_empty() {
                    None
                } else {
                    is(&format!("with {} beside what may be there", several(&strange)))
                }
            }
            Self::Matches(pattern) => match value.as_str() {
                Some(text) if text.len() > Pattern::LONGEST_TEXT => Some("is too long to be matched".into()),
                Some(text) if pattern.0.is_match(text) => None,
                _ => is(&format!("which does not match {}", pattern.0.as_str())),
            },
            Self::Https => match value.as_str() {
                Some(text) if text.starts_with("https://") && url::Url::parse(text).is_ok() => None,
                Some(text) if text.starts_with("http://") && is_loopback_url(text) => None,
                _ => is("which is no https URL"),
            },
            Self::SameOriginAsIssuer => {
                let origin = |text: &str| url::Url::parse(text).ok().map(|u| u.origin()).filter(|o| o.is_tuple());
                let of_issuer = origin(issuer);
                match value.as_str().and_then(origin) {
                    Some(of_value) if Some(&of_value) == of_issuer.as_ref() => None,
                    _ => is(&format!("which is not on the origin of the issuer, {issuer}")),
                }
            }
            Self::AtMost(most) => match measure(value) {
                Some((size, _)) if size <= *most => None,
                Some((size, unit)) => too(value, size, unit, &format!("more than {most}")),
                None => is("which has no size"),
            },
            Self::AtLeast(least) => match measure(value) {
                Some((size, _)) if size >= *least => None,
                Some((size, unit)) => too(value, size, unit, &format!("less than {least}")),
                None => is("which has no size"),
            },
        }
    }

    /// What it demands, behind the name of a place.
    pub(super) fn says(&self) -> String {
        match self {
            Self::Exists => "is there".into(),
            Self::Absent => "is left out".into(),
            Self::Type(due) => format!("is {}", due.describe()),
            Self::Equals(due) => format!("is {}", show(due)),
            Self::OneOf(dues) => format!("is one of {}", several(dues)),
            Self::Contains(due) => format!("lists {}", show(due)),
            Self::ContainsNoneOf(banned) if banned.len() == 1 => format!("does not list {}", several(banned)),
            Self::ContainsNoneOf(banned) => format!("lists none of {}", several(banned)),
            Self::Only(known) => format!("lists nothing but {}", several(known)),
            Self::Matches(pattern) => format!("matches `{}`", pattern.0.as_str()),
            Self::Https => "is an https URL".into(),
            Self::SameOriginAsIssuer => "is on the origin of the issuer".into(),
            Self::AtMost(most) => format!("is at most {most}, in number or size"),
            Self::AtLeast(least) => format!("is at least {least}, in number or size"),
            Self::Unique => "differs from all others".into(),
        }
    }
}

/// A regular expression, bounded in size; its engine takes time linear in the text.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Regex);

impl Pattern {
    const LONGEST: usize = 1000;
    const LONGEST_TEXT: usize = 1 << 14;

    /// Compiles it; or says why not.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        if text.len() > Self::LONGEST {
            return Err(format!("it has more than {} characters", Self::LONGEST));
        }
        RegexBuilder::new(text).size_limit(1 << 17).build().map(Self).map_err(|error| error.to_string())
    }
}

/// The types of JSON, and the numbers that are whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Number,
    Integer,
    Boolean,
    Array,
    Object,
}

impl Type {
    pub(super) const ALL: [(&str, Self); 6] = [
        ("string", Self::Text),
        ("number", Self::Number),
        ("integer", Self::Integer),
        ("boolean", Self::Boolean),
        ("array", Self::Array),
        ("object", Self::Object),
    ];

    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Number => value.is_number(),
            Self::Integer => value.as_f64().is_some_and(|n| n.fract() == 0.0),
            Self::Boolean => value.is_boolean(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
        }
    }

    const fn describe(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Number => "a number",
            Self::Integer => "a whole number",
            Self::Boolean => "a boolean",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// A list: the items of an array, or the words of a string, as OAuth writes scopes and response types.
fn listed(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items.clone()),
        Value::String(text) => Some(text.split(' ').filter(|w| !w.is_empty()).map(Value::from).collect()),
        _ => None,
    }
}

/// The size of a value: of a number itself, of everything else how much is in it.
fn measure(value: &Value) -> Option<(f64, &'static str)> {
    match value {
        Value::Number(number) => Some((number.as_f64()?, "")),
        Value::Array(items) => Some((items.len() as f64, " items")),
        Value::Object(members) => Some((members.len() as f64, " members")),
        Value::String(text) => Some((text.chars().count() as f64, " characters")),
        Value::Bool(_) | Value::Null => None,
    }
}

fn too(value: &Value, size: f64, unit: &str, than: &str) -> Option<String> {
    Some(match unit {
        "" => format!("is {}, {than}", show(value)),
        unit => format!("has {size}{unit}, {than}"),
    })
}

/// Equal as JSON; 1 and 1.0 are one number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

/// The longest value that is shown.
const LONGEST_SHOWN: usize = 120;

/// A value for a reader. One that is too long is described and never cut: the beginning of a secret would not be
/// recognised as one.
pub(super) fn show(value: &Value) -> String {
    let json = value.to_string();
    if json.len() <= LONGEST_SHOWN {
        return json;
    }
    match (kind(value), measure(value)) {
        (kind, Some((size, unit))) => format!("{kind} of {size}{unit}"),
        (kind, None) => kind.to_owned(),
    }
}

fn several(values: &[Value]) -> String {
    values.iter().map(show).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ISSUER: &str = "https://as.example/tenant";

    #[track_caller]
    fn holds(predicate: &Predicate, value: Value) {
        assert_eq!(predicate.complaint(&value, ISSUER), None);
    }

    #[track_caller]
    fn breaks(predicate: &Predicate, value: Value, complaint: &str) {
        assert_eq!(predicate.complaint(&value, ISSUER).as_deref(), Some(complaint));
    }

    fn matches(pattern: &str) -> Predicate {
        Predicate::Matches(Pattern::new(pattern).unwrap())
    }

    #[test]
    fn presence() {
        holds(&Predicate::Exists, json!(false));
        breaks(&Predicate::Absent, json!("hush"), "is there");
        assert!(Predicate::Exists.asks() && !Predicate::Absent.asks());
    }

    #[test]
    fn equality_and_choice() {
        holds(&Predicate::Equals(json!(true)), json!(true));
        holds(&Predicate::Equals(json!(1)), json!(1.0));
        breaks(&Predicate::Equals(json!("a")), json!("A"), "is \"A\", not \"a\"");
        let choice = Predicate::OneOf(vec![json!("RSA"), json!("EC")]);
        holds(&choice, json!("EC"));
        breaks(&choice, json!("oct"), "is \"oct\", which is none of \"RSA\", \"EC\"");
    }

    #[test]
    fn lists_are_arrays_and_words() {
        let contains = Predicate::Contains(json!("S256"));
        holds(&contains, json!(["plain", "S256"]));
        holds(&contains, json!("plain S256"));
        breaks(&contains, json!(["plain"]), "is [\"plain\"], without \"S256\"");
        breaks(&contains, json!("S256x"), "is \"S256x\", without \"S256\"");
        breaks(&contains, json!(7), "is 7, which is no list");
        let none = Predicate::ContainsNoneOf(vec![json!("token"), json!("x")]);
        holds(&none, json!(["code", "id_token"]));
        holds(&none, json!({}));
        breaks(&none, json!("id_token token"), "is \"id_token token\", with \"token\"");
        let only = Predicate::Only(vec![json!("a"), json!("b")]);
        holds(&only, json!([]));
        holds(&only, json!("b a"));
        breaks(&only, json!(["a", "c"]), "is [\"a\",\"c\"], with \"c\" beside what may be there");
        breaks(&only, json!(3), "is 3, with 3 beside what may be there");
    }

    #[test]
    fn patterns_look_for_a_part_unless_they_are_tied() {
        holds(&matches("S2"), json!("PS256"));
        holds(&matches("^PS[0-9]+$"), json!("PS256"));
        breaks(&matches("^S2"), json!("PS256"), "is \"PS256\", which does not match ^S2");
        breaks(&matches("."), json!(["a"]), "is [\"a\"], which does not match .");
        let long = "a".repeat(Pattern::LONGEST_TEXT + 1);
        breaks(&matches("a"), json!(long), "is too long to be matched");
    }

    #[test]
    fn patterns_are_bounded() {
        for pattern in ["(", "a{1000}{1000}", &"a".repeat(1001), "(?=a)"] {
            assert!(Pattern::new(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn types() {
        for ((_, due), value) in
            Type::ALL.into_iter().zip([json!("a"), json!(1.5), json!(2.0), json!(true), json!([]), json!({})])
        {
            holds(&Predicate::Type(due), value);
        }
        breaks(&Predicate::Type(Type::Array), json!("S256"), "is \"S256\", an array is due");
        breaks(&Predicate::Type(Type::Integer), json!(1.5), "is 1.5, a whole number is due");
    }

    #[test]
    fn addresses() {
        holds(&Predicate::Https, json!("https://a.example/x"));
        holds(&Predicate::Https, json!("http://127.0.0.1:8080/x"));
        for value in [json!("http://a.example"), json!("https://"), json!("/x"), json!(1)] {
            assert!(Predicate::Https.complaint(&value, ISSUER).is_some(), "{value}");
        }
        holds(&Predicate::SameOriginAsIssuer, json!("https://as.example:443/token"));
        for value in [json!("https://as.example.evil/"), json!("http://as.example/"), json!("data:x"), json!(1)] {
            assert!(Predicate::SameOriginAsIssuer.complaint(&value, ISSUER).is_some(), "{value}");
        }
    }

    #[test]
    fn sizes() {
        holds(&Predicate::AtMost(900.0), json!(900));
        breaks(&Predicate::AtMost(900.0), json!(3600), "is 3600, more than 900");
        breaks(&Predicate::AtMost(1.0), json!(["a", "b"]), "has 2 items, more than 1");
        holds(&Predicate::AtLeast(2.0), json!({"a": 1, "b": 2}));
        breaks(&Predicate::AtLeast(3.0), json!("ab"), "has 2 characters, less than 3");
        breaks(&Predicate::AtLeast(1.0), json!(true), "is true, which has no size");
    }

    #[test]
    fn what_is_long_is_described_and_never_cut() {
        assert_eq!(show(&json!("x".repeat(500))), "a string of 500 characters");
        assert_eq!(show(&json!(["x".repeat(500)])), "an array of 1 items");
    }
}
