//! What a kind of reservation looks like among a process's mappings, without any call seen: for
//! [`crate::explain`].
//!
//! The kernel merges neighbouring mappings that are alike, above all inaccessible ones: so a shape is not
//! sought as a mapping, but from its first accessible page (its *anchor*), whose distance from the
//! reservation's start and end is known.

use super::range::SizeRanges;

/// Conditions, all of which are to hold; one that is left out always does.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// 0 to 1.
    pub confidence: f64,
    /// Words for the runtime and its version.
    pub runtime: Option<String>,
    /// Words for the name of the executable.
    pub program: Option<String>,
    /// Words for the file name of something that is mapped: the kind's own code.
    pub module: Option<String>,
    /// The kernel's or the process's name of the mapping; left out: it has none.
    pub name: Option<String>,
    /// Start.
    pub at: Option<u64>,
    /// The start is below this.
    pub below: Option<u64>,
    /// The start is a multiple of this.
    pub aligned: Option<u64>,
    /// Inaccessible bytes before the anchor.
    pub before: Option<SizeRanges>,
    /// Protection of the anchor (`rw-`).
    pub lead: Option<String>,
    /// Protections of what else is accessible; of files, too.
    pub inside: Vec<String>,
    /// Bytes in all.
    pub size: Option<SizeRanges>,
    /// Whether the inaccessible bytes behind it are its own.
    pub rest: bool,
    /// The process has more than one thread.
    pub threads: bool,
    /// A thread's stack pointer points into it.
    pub thread: bool,
    /// It touches the mapping of a file that lies before it.
    pub behind_file: bool,
    /// The kernel's flags of what is accessible (of the anchor, if that is not).
    pub vm_flags: Vec<String>,
    /// Flags that it has not.
    pub without_vm_flags: Vec<String>,
    /// The kernel's flags of what is inaccessible.
    pub rest_vm_flags: Vec<String>,
    /// Flags that this has not.
    pub without_rest_vm_flags: Vec<String>,
}

impl Shape {
    /// Whether more than sizes, places and protections says whose it is; see `super::guess`.
    #[must_use]
    pub fn is_witnessed(&self) -> bool {
        self.runtime.is_some()
            || self.program.is_some()
            || self.module.is_some()
            || self.name.is_some()
            || self.thread
            || self.behind_file
    }
}
