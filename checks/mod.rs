//! What is demanded of a server: one file a check, a folder a topic.

use crate::check::AnyCheck;

/// Every check, in the order of the report.
pub static ALL: &[&dyn AnyCheck] = &[];
