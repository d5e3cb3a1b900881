//! What a protected resource says about itself: RFC 9728 and the 401 challenge.

pub mod authorization_servers_listed;
pub mod challenge_401;
pub mod challenge_header;
pub mod challenge_points_to_metadata;
pub mod published;
pub mod resource_matches;
