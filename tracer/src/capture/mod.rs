//! Capture.
pub mod recording;
