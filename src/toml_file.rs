//! The TOML files that people write for oaudit: every key by its name, every mistake shown where it stands.

mod problem;
mod table;

pub(crate) use problem::Mistake;
pub use problem::Problem;
pub(crate) use table::{Item, Table, parse};
