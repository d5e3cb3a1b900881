//! The lab over real sockets: sound by default, its faults and its quirks on the wire.

mod faults;
mod flow;
mod pages;
mod quirks;
mod resource;
mod starting;
mod tokens;
mod visitor;
