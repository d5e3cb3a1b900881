//! The vocabulary of OAuth: requests as they are built, answers as they are read.

pub mod answer;
pub mod assertion;
pub mod audience;
pub mod challenge;
pub mod claims;
pub mod client;
pub mod described;
pub mod forge;
pub mod framing;
pub mod id_token;
pub mod introspection;
pub mod jws;
pub mod jwt;
pub mod leak;
pub mod pkce;
pub mod redirect;
pub mod refusal;
pub mod request;
pub mod revocation;
pub mod sample;
pub mod scope;
pub mod scope_design;
pub mod secret;
pub mod token;
