//! Where a rule looks: a JSON Pointer (RFC 6901) in which `*` walks an array or an object.

use serde_json::Value;

/// A path into a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pointer {
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Into(String),
    Each,
}

/// A place that a pointer leads to: its own pointer, and the value that stands there, if one does.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place<'a> {
    pub(super) pointer: String,
    pub(super) value: Option<&'a Value>,
}

impl Pointer {
    /// Reads a pointer; or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let steps = match text.strip_prefix('/') {
            None if text.is_empty() => Vec::new(),
            None => return Err("a JSON Pointer begins with /"),
            Some(rest) => rest.split('/').map(step).collect::<Result<_, _>>()?,
        };
        Ok(Self { text: text.to_owned(), steps })
    }

    /// Whether it leads to several places.
    pub(super) fn walks(&self) -> bool {
        self.steps.contains(&Step::Each)
    }

    /// The pointer as a reader knows it.
    pub(super) fn name(&self) -> &str {
        name(&self.text)
    }

    /// Where it leads, in the order of the document. `null` counts as nothing, as for every reader of metadata.
    ///
    /// A step into what is not there ends there: the place is missing. `*` at an empty array or object leads nowhere;
    /// at a single value it stands for that value, so that a bare string in the place of a list is not overlooked.
    pub(super) fn places<'a>(&self, document: &'a Value) -> Vec<Place<'a>> {
        let mut places = vec![Place { pointer: String::new(), value: Some(document) }];
        for step in &self.steps {
            places = places.into_iter().flat_map(|place| go(place, step)).collect();
        }
        places.into_iter().map(|p| Place { value: p.value.filter(|v| !v.is_null()), ..p }).collect()
    }
}

impl Place<'_> {
    /// The place as a reader knows it.
    pub(super) fn name(&self) -> &str {
        name(&self.pointer)
    }
}

/// A member of the document goes by its name alone; what lies deeper by its pointer.
fn name(pointer: &str) -> &str {
    match pointer.strip_prefix('/') {
        None => "the document",
        Some(member) if !member.contains(['/', '~', '*']) && !member.is_empty() => member,
        Some(_) => pointer,
    }
}

fn step(token: &str) -> Result<Step, &'static str> {
    if token == "*" {
        return Ok(Step::Each);
    }
    let escapes = token.split('~').skip(1);
    if escapes.into_iter().any(|rest| !rest.starts_with(['0', '1'])) {
        return Err("in a JSON Pointer ~ is written ~0, and / inside of a name ~1");
    }
    Ok(Step::Into(token.replace("~1", "/").replace("~0", "~")))
}

fn go<'a>(place: Place<'a>, step: &Step) -> Vec<Place<'a>> {
    let at = |token: &str| format!("{}/{}", place.pointer, token.replace('~', "~0").replace('/', "~1"));
    match (step, place.value) {
        // The first that is missing is the one to name.
        (_, None) => vec![place],
        (Step::Into(token), Some(value)) => vec![Place { pointer: at(token), value: member(value, token) }],
        (Step::Each, Some(Value::Array(items))) => {
            let numbered = items.iter().enumerate();
            numbered.map(|(n, value)| Place { pointer: at(&n.to_string()), value: Some(value) }).collect()
        }
        (Step::Each, Some(Value::Object(members))) => {
            members.iter().map(|(name, value)| Place { pointer: at(name), value: Some(value) }).collect()
        }
        (Step::Each, _) => vec![place],
    }
}

fn member<'a>(value: &'a Value, token: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) => members.get(token),
        // RFC 6901 section 4: digits without a leading zero.
        Value::Array(items) if token == "0" || !token.starts_with(['0', '+']) => {
            items.get(token.parse::<usize>().ok()?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn places(pointer: &str, document: &Value) -> Vec<(String, Option<Value>)> {
        let pointer = Pointer::parse(pointer).unwrap();
        pointer.places(document).into_iter().map(|p| (p.pointer.clone(), p.value.cloned())).collect()
    }

    #[test]
    fn the_pointers_of_rfc_6901_lead_where_it_says() {
        let document = json!({"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8});
        for (pointer, value) in [
            ("/foo", json!(["bar", "baz"])),
            ("/foo/0", json!("bar")),
            ("/", json!(0)),
            ("/a~1b", json!(1)),
            ("/m~0n", json!(8)),
        ] {
            assert_eq!(places(pointer, &document), [(pointer.to_owned(), Some(value))]);
        }
        assert_eq!(places("", &document)[0].1, Some(document.clone()));
        for pointer in ["/foo/01", "/foo/2", "/foo/-", "/foo/+1", "/foo/bar"] {
            assert_eq!(places(pointer, &document), [(pointer.to_owned(), None)], "{pointer}");
        }
        assert_eq!(places("/none/deeper/*", &document), [("/none".to_owned(), None)], "the first that is missing");
    }

    #[test]
    fn a_star_walks_arrays_and_objects() {
        let document = json!({"keys": [{"kid": "a"}, {"kty": "EC"}, {"kid": null}], "none": [], "bare": "x"});
        let found = |pointer| places(pointer, &document);
        assert_eq!(
            found("/keys/*/kid"),
            [("/keys/0/kid".into(), Some(json!("a"))), ("/keys/1/kid".into(), None), ("/keys/2/kid".into(), None)]
        );
        assert_eq!(found("/*/0/kid").len(), 3);
        assert_eq!(found("/none/*"), []);
        assert_eq!(found("/missing/*"), [("/missing".into(), None)]);
        assert_eq!(found("/bare/*"), [("/bare".into(), Some(json!("x")))], "a bare value stands for itself");
    }

    #[test]
    fn what_is_no_pointer_is_said_to_be_none() {
        for text in ["foo", "foo/bar", "/a~2b", "/a~"] {
            assert!(Pointer::parse(text).is_err(), "{text}");
        }
        assert!(Pointer::parse("/keys/*").unwrap().walks());
        assert!(!Pointer::parse("/keys/0*").unwrap().walks());
    }

    #[test]
    fn a_member_goes_by_its_name() {
        let name = |text| Pointer::parse(text).unwrap().name().to_owned();
        assert_eq!(name("/issuer"), "issuer");
        assert_eq!(name("/keys/*/kid"), "/keys/*/kid");
        assert_eq!(name(""), "the document");
    }
}
