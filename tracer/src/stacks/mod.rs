//! Stacks: from what the kernel copied to named frames.
//!
//! In the order of the data: `unwind` turns registers and a copy of stack bytes (`raw`) into return
//! addresses. It asks how to leave the function at a pc ([`exit`]): `modules` knows what code lies where in an
//! address space (by `exec_maps`), and in which of the `files` (each with its [`layout`]; `nearby` finds
//! them where the process is gone), [`cfi`] reads their tables, and `go` knows what Go's do not tell. The
//! machine's part is in [`arch`]. `symbolize` then names the addresses, in a thread of its own: native code by
//! `native_names` (with `debug_files`), code made at run time by [`perf_map`] (which name was an
//! address's when: [`perf_names`]) and [`runtime_names`].
//!
//! The files read here belong to the target: [`open`] says how they are opened, and nothing in them
//! is trusted. The bytes of stacks are the target's secrets: they are never kept beyond the call
//! that unwinds them.

pub(crate) mod raw;

pub(crate) mod unwind;

pub mod exit;

mod code_address;

pub(crate) mod modules;

pub(crate) mod exec_maps;

pub(crate) mod files;

pub mod layout;

pub(crate) mod nearby;

pub mod cfi;

pub(crate) mod go;

pub mod arch;

pub(crate) mod symbolize;

pub(crate) mod native_names;

pub(crate) mod debug_files;

pub mod perf_map;

pub mod perf_names;

pub mod runtime_names;

pub(crate) mod printable;

pub mod open;

pub(crate) use modules::CodeMapping;
pub use raw::{Copied, RawStack};
pub use symbolize::{Namer, Told};
pub use unwind::{Unwinder, Unwound};
