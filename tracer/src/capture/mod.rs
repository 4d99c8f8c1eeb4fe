//! The edge to the kernel, to `/proc` and to the files of targets: from there to bytes and plain values.

pub(crate) mod kernel_types;

pub mod hooks;

pub mod programs;

pub(crate) mod tracepoints;

pub(crate) mod tables;

pub mod ring;

pub(crate) mod host;

pub(crate) mod privileges;

pub(crate) mod command;

pub(crate) mod apart;

pub(crate) mod started;

pub(crate) mod inode;

pub(crate) mod elf;

pub mod procfs;
