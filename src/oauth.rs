//! The vocabulary of OAuth: requests as they are built, answers as they are read.

pub mod answer;
pub mod audience;
pub mod challenge;
pub mod client;
pub mod described;
pub mod introspection;
pub mod jwt;
pub mod pkce;
pub mod redirect;
pub mod refusal;
pub mod request;
pub mod revocation;
pub mod scope;
pub mod secret;
pub mod token;
