//! Audits an OAuth 2.1 authorization server and the API or MCP server behind it, from outside, by behaviour.

pub mod lab;
