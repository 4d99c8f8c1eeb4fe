//! What is known of stacks beside their frames: why one is not complete, and what it took to get them.

use serde::{Deserialize, Serialize};

use super::StackId;

/// [`super::Event::Incomplete`]: why this stack does not reach the thread's start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incomplete {
    /// Which.
    pub stack: StackId,
    /// Why.
    pub cause: Cause,
    /// The file whose code could not be left, as in `/proc/PID/maps`; empty where none is to blame.
    pub module: String,
}

/// [`super::Event::Module`]: a file with code that frames lie in.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
pub struct Module {
    /// Its path, as in frames.
    pub path: String,
    /// Its GNU build id, in hex (<https://man7.org/linux/man-pages/man1/ld.1.html>, `--build-id`); absent if it
    /// has none.
    pub build_id: Option<String>,
}

/// Why a stack is not complete.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It was lost, or none could be taken.
    #[default]
    Lost,
    /// More frames than are followed.
    TooDeep,
    /// It goes on beyond the bytes that the kernel copied.
    BeyondCopy,
    /// Fewer bytes were copied because the ring was filling.
    Pressure,
    /// A module's code has no unwind information there, and no frame pointer.
    NoUnwindInformation,
    /// Code that is in no file: made at run time, and without a frame pointer.
    RuntimeCode,
    /// The rules or the stack made no sense there.
    Astray,
    /// Nothing could be learned of the process's code: it was gone.
    Gone,
}

/// [`super::Event::Learning`]: how stacks came from the kernel, and what it holds to send them short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learning {
    /// Since the start.
    pub all: Sent,
    /// Of these, from [`Learning::SETTLED_NS`] after the start on.
    pub settled: Sent,
    /// The most rules that the kernel held at a time.
    pub rules: u64,
    /// The most hashes of known stacks that it held.
    pub hashes: u64,
    /// Kernel memory of both tables, bytes; `None`: the kernel does not tell.
    pub memory_bytes: Option<u64>,
}

impl Learning {
    /// When most of a program's stacks are known, ns.
    pub const SETTLED_NS: u64 = 10_000_000_000;
}

/// Calls by how their stacks were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// As the id of a stack that is known.
    pub known: u64,
    /// Whole.
    pub whole: u64,
}

impl Sent {
    /// Adds others.
    pub fn add(&mut self, others: Self) {
        self.known += others.known;
        self.whole += others.whole;
    }
}
