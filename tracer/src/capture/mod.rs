//! The edge to the kernel, to `/proc` and to recording files: from there to bytes and plain values.

pub mod kernel_types;

pub mod programs;

pub mod tracepoints;

pub mod tables;

pub mod ring;

pub mod host;

pub mod privileges;

pub mod command;

pub mod procfs;
