//! The built binary on the running kernel: black box, against the truth that other programs, the
//! kernel, or the target itself tell.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on shall say where it stopped"
)]

mod command;

mod target;

mod attach;

mod bad_input;

mod end;

mod loss;

mod replay;

mod reproducer;

mod storm;
