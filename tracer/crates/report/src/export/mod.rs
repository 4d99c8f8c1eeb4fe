//! The formats that other people's tools open. Each is made of [`samples`]: what a call site still has,
//! under its stack, under its process. Together they are all that the report counts, so every total of
//! every format is the report's.

pub mod samples;

pub mod folded;

pub mod flamegraph;

pub mod differential;

pub mod pprof;

pub mod perfetto;

pub mod csv;
