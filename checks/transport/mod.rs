//! What carries everything else: TLS, and the headers of pages and answers.

pub mod certificate_valid;
pub mod cors_not_reflected;
pub mod frame_protection;
pub mod hsts;
pub mod https_only;
pub mod no_cors_on_authorization;
pub mod referrer_policy;
#[path = "tls_1.2_or_newer.rs"]
pub mod tls_1_2_or_newer;
