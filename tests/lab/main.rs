//! The lab over real sockets: sound by default, its faults and its quirks on the wire.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod faults;
mod flow;
mod pages;
mod quirks;
mod resource;
mod starting;
mod tls;
mod tokens;
mod visitor;
