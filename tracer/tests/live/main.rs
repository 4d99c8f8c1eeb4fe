//! The built binary on the running kernel: black box, against the truth that other programs, the
//! kernel, or the target itself tell.

mod command;

mod attach;

mod bad_input;

mod replay;

mod reproducer;
