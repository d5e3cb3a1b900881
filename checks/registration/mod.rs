//! Dynamic client registration.

pub mod dynamic_works;
