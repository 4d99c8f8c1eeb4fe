//! A live trace: from the ring through order into the book, and beside it into a recording.

mod state;

mod records;

mod finding;

mod diagnostics;

mod run;

pub(crate) use run::trace;
