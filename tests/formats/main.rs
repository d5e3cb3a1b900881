//! The formats of the report: what they look like, word for word, and whether others can read them.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

mod bounds;
mod configuration;
mod fixture;
mod golden;
mod inert;
#[path = "../support/installed.rs"]
mod installed;
mod nasty;
mod places;
mod remarks;
mod schemas;
mod xml;
