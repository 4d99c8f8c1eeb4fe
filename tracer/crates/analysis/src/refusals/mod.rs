//! Calls that the kernel refused: why (`cause`), what is kept of them while a trace goes on (`kept`), what the
//! model says of them in the end (`told`), and in which words (`words`).

pub(crate) mod cause;

pub(crate) mod kept;

pub(crate) mod told;

pub mod words;

/// What happens within this time of a refusal, ns, is taken to be because of it.
pub(crate) const SOON: u64 = 1_000_000_000;
