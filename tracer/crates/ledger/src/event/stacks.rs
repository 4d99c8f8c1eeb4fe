//! Stacks: their frames, why one is not complete, and what it took to get them.

use serde::{Deserialize, Serialize};

use super::ids::StackId;

/// [`super::Event::Stack`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Its id.
    pub id: StackId,
    /// How much of it is known.
    pub quality: StackQuality,
    /// Innermost first.
    pub frames: Vec<Frame>,
}

/// How much of a stack is known.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum StackQuality {
    /// Down to the thread's start.
    Complete,
    /// Right as far as it goes, and then cut off (depth or copied bytes).
    Cut,
    /// The walk lost its way: the outer frames may be missing or wrong.
    Broken,
    /// There is no stack.
    #[default]
    None,
}

/// One frame of a stack, named as far as it could be.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Frame {
    /// The function's name, demangled; absent where no symbol covers the address.
    pub function: Option<String>,
    /// Path of the binary, in the target's root; absent for JIT code.
    pub module: Option<String>,
    /// Offset of the address in the module's file, bytes; for JIT code the address itself.
    pub offset: u64,
    /// Source file.
    pub file: Option<String>,
    /// Source line.
    pub line: Option<u32>,
    /// What kind of code it is.
    pub kind: FrameKind,
    /// This function was inlined into the next frame's.
    pub inlined: bool,
}

/// What kind of code a frame is. An open set: more kinds will come.
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
#[serde(rename_all = "lowercase")]
pub enum FrameKind {
    /// Compiled ahead of time.
    #[default]
    Native,
    /// Compiled at run time.
    Jit,
    /// Interpreted.
    Interpreted,
    /// Kernel code.
    Kernel,
}

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
