//! Analysis.
pub mod summary;
