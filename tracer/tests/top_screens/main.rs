//! The live view's frames, from the real gateway's kept recording, without colours; and what its keys do.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test fails as its test does"
)]

mod frames;

mod gateway;

mod keys;

mod list;

mod answer;

mod hostile;
