//! The lab over real sockets: sound by default, its faults and its quirks on the wire.

mod faults;
mod pages;
mod quirks;
mod sound;
mod starting;
mod visitor;
