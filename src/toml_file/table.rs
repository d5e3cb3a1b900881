//! Reads the tables of a file: every key by its name, every value as what it has to be, every mistake at its place.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Mistake;

/// A larger file is none that a person wrote.
const LARGEST: usize = 1 << 18;

/// The whole file, with the place of every key and value.
pub(crate) fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, Mistake> {
    if text.len() > LARGEST {
        return Err(Mistake::new(format!("such a file has at most {LARGEST} bytes"), 0..0));
    }
    DeTable::parse(text)
        .map_err(|error| Mistake::new(error.message().replace('\n', ", "), error.span().unwrap_or(0..0)))
}

/// A table of the file.
pub(crate) struct Table<'a> {
    what: Cow<'static, str>,
    entries: &'a DeTable<'a>,
    at: Range<usize>,
}

/// A value of the file.
#[derive(Clone, Copy)]
pub(crate) struct Item<'a>(&'a Spanned<DeValue<'a>>);

impl<'a> Table<'a> {
    /// A table that may have any keys.
    pub(crate) fn open(what: impl Into<Cow<'static, str>>, entries: &'a DeTable<'a>, at: Range<usize>) -> Self {
        Self { what: what.into(), entries, at }
    }

    /// A table that has no keys but these. `what` is what it is called in complaints.
    pub(crate) fn new(
        what: &'static str,
        entries: &'a DeTable<'a>,
        at: Range<usize>,
        known: &[&str],
    ) -> Result<Self, Mistake> {
        let table = Self::open(what, entries, at);
        table.limited_to(known)?;
        Ok(table)
    }

    /// It has no keys but these.
    pub(crate) fn limited_to(&self, known: &[&str]) -> Result<(), Mistake> {
        let strange = self.keys().filter(|(key, _)| !known.contains(key));
        match strange.min_by_key(|(_, at)| at.start) {
            Some((key, at)) => {
                Err(Mistake::new(format!("{} has no key {key}", self.what), at).hint(suggest(key, known)))
            }
            None => Ok(()),
        }
    }

    /// Where it stands.
    pub(crate) fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    /// The keys that are there, and where they stand.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&'a str, Range<usize>)> + use<'a> {
        self.entries.keys().map(|key| (key.get_ref().as_ref(), key.span()))
    }

    /// The same table in JSON.
    #[cfg(test)]
    pub(crate) fn json(&self) -> Result<Value, Mistake> {
        object(self.entries)
    }

    pub(crate) fn get(&self, key: &str) -> Option<Item<'a>> {
        self.entries.get(key).map(Item)
    }

    pub(crate) fn need(&self, key: &str) -> Result<Item<'a>, Mistake> {
        self.get(key).ok_or_else(|| Mistake::new(format!("{} needs the key {key}", self.what), self.at()))
    }

    /// The tables of an array of tables; none if it is left out.
    pub(crate) fn tables(&self, key: &str, what: &'static str, known: &[&str]) -> Result<Vec<Table<'a>>, Mistake> {
        let items = self.get(key).map(Item::items).transpose()?.unwrap_or_default();
        items.into_iter().map(|item| item.table(what, known)).collect()
    }
}

impl<'a> Item<'a> {
    /// Where it stands.
    pub(crate) fn at(self) -> Range<usize> {
        self.0.span()
    }

    /// It is wrong.
    pub(crate) fn wrong(self, why: impl Into<String>) -> Mistake {
        Mistake::new(why, self.at())
    }

    fn due(self, due: &str) -> Mistake {
        self.wrong(format!("{due} is due here, and this is {}", article(self.0.get_ref().type_str())))
    }

    pub(crate) fn text(self) -> Result<&'a str, Mistake> {
        self.0.get_ref().as_str().ok_or_else(|| self.due("a string"))
    }

    /// Text that says something.
    pub(crate) fn words(self) -> Result<&'a str, Mistake> {
        match self.text()?.trim() {
            "" => Err(self.wrong("this is empty")),
            words => Ok(words),
        }
    }

    /// Text of one line that says something.
    pub(crate) fn line(self) -> Result<&'a str, Mistake> {
        match self.words()? {
            words if words.contains('\n') => Err(self.wrong("this is one line")),
            words => Ok(words),
        }
    }

    /// A date as TOML has it, without a time.
    pub(crate) fn date(self) -> Option<String> {
        match self.0.get_ref() {
            DeValue::Datetime(date) if date.time.is_none() => Some(date.to_string()),
            _ => None,
        }
    }

    pub(crate) fn flag(self) -> Result<bool, Mistake> {
        self.0.get_ref().as_bool().ok_or_else(|| self.due("true or false"))
    }

    /// A whole number within bounds.
    pub(crate) fn count(self, least: u64, most: u64) -> Result<u64, Mistake> {
        let whole = self.0.get_ref().as_integer().ok_or_else(|| self.due("a whole number"))?;
        u64::from_str_radix(whole.as_str(), whole.radix())
            .ok()
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| match most {
                u64::MAX => self.wrong(format!("this is at least {least}")),
                most => self.wrong(format!("this lies between {least} and {most}")),
            })
    }

    pub(crate) fn number(self) -> Result<f64, Mistake> {
        self.json()?.as_f64().ok_or_else(|| self.due("a number"))
    }

    pub(crate) fn items(self) -> Result<Vec<Item<'a>>, Mistake> {
        Ok(self.0.get_ref().as_array().ok_or_else(|| self.due("an array"))?.iter().map(Item).collect())
    }

    pub(crate) fn table(self, what: &'static str, known: &[&str]) -> Result<Table<'a>, Mistake> {
        Table::new(what, self.0.get_ref().as_table().ok_or_else(|| self.due("a table"))?, self.at(), known)
    }

    /// A table that may have any keys.
    pub(crate) fn open(self, what: String) -> Result<Table<'a>, Mistake> {
        Ok(Table::open(what, self.0.get_ref().as_table().ok_or_else(|| self.due("a table"))?, self.at()))
    }

    /// One of some words.
    pub(crate) fn one_of<T: Copy>(self, what: &str, all: &[(&str, T)]) -> Result<T, Mistake> {
        let text = self.text()?;
        all.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            self.wrong(format!("there is no {what} {text}")).hint(suggest(text, &names))
        })
    }

    /// The same value in JSON, which has no dates.
    pub(crate) fn json(self) -> Result<Value, Mistake> {
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
    let likeness = |name: &str| strsim::jaro_winkler(&typed.to_lowercase(), &name.to_lowercase());
    let nearest = all.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest.filter(|name| likeness(name) > 0.8) {
        Some(name) => format!("did you mean {name}?"),
        None => format!("there are {}", all.join(", ")),
    }
}
