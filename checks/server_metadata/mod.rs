//! What an authorization server says about itself: RFC 8414, OpenID discovery, keys.

pub mod https_everywhere;
pub mod iss_advertised;
pub mod issuer_matches;
pub mod jwks_kids_unique;
pub mod jwks_public_only;
pub mod jwks_reachable;
pub mod jwks_strong_keys;
pub mod published;
pub mod registration_path;
pub mod required_members;
