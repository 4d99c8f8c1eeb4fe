//! How the eBPF object is built.
//!
//! The build script of `tracer` calls [`ebpf::build`]; the commands of `xtask` use the same facts to
//! say what is missing and to install it. Read in this order: [`toolchain`] (what can build it, and
//! which is chosen), [`machine`] (what is here), [`environment`] (what the inner cargo may inherit),
//! [`ebpf`] (the build).

pub mod toolchain;

pub mod machine;

pub mod environment;

pub mod ebpf;
