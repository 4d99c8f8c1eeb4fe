//! The edge to the kernel, to `/proc` and to the files of targets: from there to bytes and plain values.

pub mod kernel_types;

pub mod programs;

pub mod tracepoints;

pub mod tables;

pub mod ring;

pub mod host;

pub mod privileges;

pub mod command;

pub mod inode;

pub mod elf;

pub mod procfs;
