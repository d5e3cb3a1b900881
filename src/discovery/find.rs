//! The walk itself.
