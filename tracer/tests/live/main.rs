//! The built binary on the running kernel: black box, against the truth that other programs, the
//! kernel, or the target itself tell.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on shall say where it stopped"
)]

mod code;

mod command;

mod compiled;

mod meanwhile;

mod recorded;

mod target;

mod touches;

mod attach;

mod bad_input;

mod as_typed;

mod check;

mod diff;

mod beginning;

mod end;

mod explain;

mod gone;

mod learned;

mod limits;

mod loss;

mod measured;

mod outsider;

mod panics;

mod patterns;

mod refused;

mod renamed;

mod replay;

mod reproducer;

mod secrets;

mod selection;

mod storm;

mod top;

mod trial;

mod truth;

mod verdicts;
