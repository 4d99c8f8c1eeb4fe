//! The wire between the eBPF programs (`tracer-ebpf`) and the collector (`tracer`).
//!
//! Everything here is `no_std`, plain old data, in the byte order of the machine: both ends run on
//! the same one. The layout is asserted at compile time in `layout`; [`WIRE_VERSION`] is written
//! into the eBPF object and compared at load.
//!
//! Read in this order: [`header`] (what every record begins with), [`memory`] (calls that change an
//! address space), [`process`] (fork, exec, exit), [`stack`], then [`counters`] and [`settings`].
#![no_std]

pub mod header;
pub mod memory;
pub mod process;
pub mod stack;

pub mod counters;
pub mod settings;

mod layout;

/// Version of the records below; a changed layout or meaning is a new version.
pub const WIRE_VERSION: u32 = 3;
