//! Capture.
pub mod procfs;
pub mod recording;
