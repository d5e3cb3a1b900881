//! Reads the tables of a rule file: every key by its name, every value as what it has to be, every mistake at its place.

use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Mistake;

/// A table of the file.
pub(super) struct Table<'a> {
    what: &'static str,
    entries: &'a DeTable<'a>,
    at: Range<usize>,
}

/// A value of the file.
#[derive(Clone, Copy)]
pub(super) struct Item<'a>(&'a Spanned<DeValue<'a>>);

impl<'a> Table<'a> {
    /// A table that has no keys but these. `what` is what it is called in complaints.
    pub(super) fn new(
        what: &'static str,
        entries: &'a DeTable<'a>,
        at: Range<usize>,
        known: &[&str],
    ) -> Result<Self, Mistake> {
        let strange = entries.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
        match strange.min_by_key(|key| key.span().start) {
            Some(key) => {
                let what = format!("{what} has no key {}", key.get_ref());
                Err(Mistake::new(what, key.span()).hint(suggest(key.get_ref(), known)))
            }
            None => Ok(Self { what, entries, at }),
        }
    }

    /// Where it stands.
    pub(super) fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    /// The same table in JSON.
    #[cfg(test)]
    pub(super) fn json(&self) -> Result<Value, Mistake> {
        object(self.entries)
    }

    pub(super) fn get(&self, key: &str) -> Option<Item<'a>> {
        self.entries.get(key).map(Item)
    }

    pub(super) fn need(&self, key: &str) -> Result<Item<'a>, Mistake> {
        self.get(key).ok_or_else(|| Mistake::new(format!("{} needs the key {key}", self.what), self.at()))
    }

    /// The tables of an array of tables; none if it is left out.
    pub(super) fn tables(&self, key: &str, what: &'static str, known: &[&str]) -> Result<Vec<Table<'a>>, Mistake> {
        let items = self.get(key).map(Item::items).transpose()?.unwrap_or_default();
        items.into_iter().map(|item| item.table(what, known)).collect()
    }
}

impl<'a> Item<'a> {
    /// Where it stands.
    pub(super) fn at(self) -> Range<usize> {
        self.0.span()
    }

    /// It is wrong.
    pub(super) fn wrong(self, why: impl Into<String>) -> Mistake {
        Mistake::new(why, self.at())
    }

    fn due(self, due: &str) -> Mistake {
        self.wrong(format!("{due} is due here, and this is {}", article(self.0.get_ref().type_str())))
    }

    pub(super) fn text(self) -> Result<&'a str, Mistake> {
        self.0.get_ref().as_str().ok_or_else(|| self.due("a string"))
    }

    /// Text that says something.
    pub(super) fn words(self) -> Result<&'a str, Mistake> {
        match self.text()?.trim() {
            "" => Err(self.wrong("this is empty")),
            words => Ok(words),
        }
    }

    /// Text of one line that says something.
    pub(super) fn line(self) -> Result<&'a str, Mistake> {
        match self.words()? {
            words if words.contains('\n') => Err(self.wrong("this is one line")),
            words => Ok(words),
        }
    }

    pub(super) fn flag(self) -> Result<bool, Mistake> {
        self.0.get_ref().as_bool().ok_or_else(|| self.due("true or false"))
    }

    pub(super) fn number(self) -> Result<f64, Mistake> {
        self.json()?.as_f64().ok_or_else(|| self.due("a number"))
    }

    pub(super) fn items(self) -> Result<Vec<Item<'a>>, Mistake> {
        Ok(self.0.get_ref().as_array().ok_or_else(|| self.due("an array"))?.iter().map(Item).collect())
    }

    pub(super) fn table(self, what: &'static str, known: &[&str]) -> Result<Table<'a>, Mistake> {
        Table::new(what, self.0.get_ref().as_table().ok_or_else(|| self.due("a table"))?, self.at(), known)
    }

    /// One of some words.
    pub(super) fn one_of<T: Copy>(self, what: &str, all: &[(&str, T)]) -> Result<T, Mistake> {
        let text = self.text()?;
        all.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            self.wrong(format!("there is no {what} {text}")).hint(suggest(text, &names))
        })
    }

    /// The same value in JSON, which has no dates.
    pub(super) fn json(self) -> Result<Value, Mistake> {
        let number = |text: &str| text.parse::<f64>().ok().and_then(serde_json::Number::from_f64);
        Ok(match self.0.get_ref() {
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Boolean(flag) => Value::from(*flag),
            DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
                .map(Value::from)
                .map_err(|_| self.wrong("this number is too large"))?,
            DeValue::Float(digits) => {
                number(digits.as_str()).map(Value::Number).ok_or_else(|| self.wrong("JSON has no such number"))?
            }
            DeValue::Datetime(_) => return Err(self.wrong("JSON has no dates; a date in it is a string or a number")),
            DeValue::Array(items) => items.iter().map(|i| Item(i).json()).collect::<Result<_, _>>()?,
            DeValue::Table(entries) => object(entries)?,
        })
    }
}

fn object(entries: &DeTable<'_>) -> Result<Value, Mistake> {
    let mut members = serde_json::Map::new();
    for (key, value) in entries {
        members.insert(key.get_ref().to_string(), Item(value).json()?);
    }
    Ok(Value::Object(members))
}

fn article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {kind}")
}

/// "Did you mean", or all there are.
fn suggest(typed: &str, all: &[&str]) -> String {
    let likeness = |name: &str| strsim::jaro_winkler(&typed.to_lowercase(), name);
    let nearest = all.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest.filter(|name| likeness(name) > 0.8) {
        Some(name) => format!("did you mean {name}?"),
        None => format!("there are {}", all.join(", ")),
    }
}
