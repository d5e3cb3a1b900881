//! The access token: how long it lives, what it says and to whom, how it is made.

pub mod at_jwt_profile;
pub mod audience_is_the_resource;
pub mod distinct;
pub mod id_token_valid;
pub mod jwt_verifies;
pub mod no_personal_data;
pub mod short_lived;
pub mod unguessable;
