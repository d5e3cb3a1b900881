//! `oaudit` audits an OAuth 2.1 authorization server and the API or MCP server behind it, from outside, as the clients
//! that will use it do.
//!
//! Three sentences govern everything: a hostile probe is the ordinary flow with one thing changed; green must be
//! earned; a person signs in once.

pub mod audit;
pub mod check;
pub mod discovery;
pub mod document;
pub mod front;
pub mod needs;
pub mod oauth;
pub mod profile;
pub mod report;
pub mod resource;
pub mod wire;

#[path = "../checks/mod.rs"]
pub mod checks;
