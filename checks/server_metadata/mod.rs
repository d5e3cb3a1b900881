//! What an authorization server says about itself: RFC 8414, OpenID discovery, keys.

pub mod https_everywhere;
pub mod issuer_matches;
pub mod jwks_public_only;
pub mod jwks_reachable;
pub mod no_implicit_advertised;
pub mod no_password_advertised;
pub mod plain_not_advertised;
pub mod published;
pub mod refresh_advertised;
pub mod required_members;
pub mod revocation_advertised;
pub mod s256_advertised;
