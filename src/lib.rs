//! `oaudit` audits an OAuth 2.1 authorization server and the API or MCP server behind it, from outside, as the clients
//! that will use it do.
//!
//! Three sentences govern everything: a hostile probe is the ordinary flow with one thing changed; green must be
//! earned; a person signs in once.
//!
//! The arrows run one way: `cli -> run -> {plan, front, registration, cleanup, discovery} -> oauth -> wire`; `checks ->
//! check, needs, oauth, rule`; `rule -> check, needs`; `config` and `rule` read their files by `toml_file`; `waiver ->
//! report -> check`.
//! The `lab` stands apart: it shares no protocol code with the auditor, so that a mistake made on both sides cannot hide
//! itself.

pub mod audit;
pub mod catalogue;
pub mod check;
pub mod checklist;
pub mod cleanup;
pub mod cli;
pub mod clients;
pub mod config;
pub mod coverage;
pub mod discovery;
pub mod document;
pub mod front;
pub mod inspect;
pub mod lab;
pub mod logs;
pub mod needs;
pub mod oauth;
pub mod plan;
mod private_file;
pub mod profile;
pub mod registration;
pub mod report;
pub mod resource;
pub mod rule;
pub mod run;
pub mod saved;
pub mod settings;
mod toml_file;
pub mod waiver;
pub mod wire;

#[path = "../checks/mod.rs"]
pub mod checks;
