//! The wire between the eBPF programs (`tracer-ebpf`) and the collector (`tracer`).
//!
//! Everything here is `no_std`, plain old data, in the byte order of the machine: both ends run on
//! the same one. The layout is asserted at compile time in `layout`; [`WIRE_VERSION`] is written
//! into the eBPF object and compared at load.
//!
//! Read in this order: [`kind`] (what a record tells, and which calls are traced), [`header`] (what every
//! record begins with), [`memory`] (calls that change an address space), [`process`] (fork, exec, exit), [`account`] (sizes
//! and limits, refused calls), [`mod@file`] (what is mapped),
//! [`stack`], then [`counters`], [`settings`] and [`bits`] (those of the kernel's interface).
#![no_std]

pub mod kind;

pub mod account;
pub mod file;
pub mod header;
pub mod memory;
pub mod process;
pub mod stack;

pub mod counters;
pub mod settings;

pub mod bits;

mod layout;

/// Version of the records below; a changed layout or meaning is a new version.
pub const WIRE_VERSION: u32 = 4;
