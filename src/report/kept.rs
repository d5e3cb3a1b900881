//! The words of a report that is read back: they stand for words of the catalogue and live as long, that is as long as
//! the program, which reads one report or two.

use serde::{Deserialize, Deserializer};

/// A word of the catalogue, such as an id or a title. (By another name than `&'static str`, so that serde does not take it
/// for something borrowed from what is read.)
pub type Word = &'static str;

pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Word, D::Error> {
    Ok(String::deserialize(from)?.leak())
}

pub(crate) fn list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Word>, D::Error> {
    Ok(Vec::<String>::deserialize(from)?.into_iter().map(|word| &*word.leak()).collect())
}
