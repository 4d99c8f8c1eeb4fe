//! How the ledger was held against the kernel, as the model says it. A part of [`crate::model::summary`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The ledger against the kernel: at the end, and all along.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerCheck {
    /// Bytes in the ledger.
    pub bytes: u64,
    /// The kernel's `VmSize` at the same moment, by its own word.
    pub kernel_bytes: u64,
    /// Kernel − ledger: at that moment, or else when they were last compared.
    pub difference_bytes: i64,
    /// Whether the kernel has said so since something last changed it: if not, [`Self::kernel_bytes`] is 0 and means
    /// nothing.
    pub kernel_known: bool,
    /// Whether they were compared, since the last loss: if not, [`Self::difference_bytes`] is 0 and means nothing. Older
    /// reports do not say: then it is [`Self::kernel_known`].
    #[serde(default)]
    pub compared: bool,
    /// Whether something of it was in doubt in the end: what some call has done, or what a loss has hidden, was not read
    /// from the kernel's maps any more.
    #[serde(default)]
    pub in_doubt: bool,
    /// How often the ledger's total was held against the kernel's: at each call, under the lock.
    pub checks: u64,
    /// How often they differed.
    pub checks_differing: u64,
    /// How often the kernel's maps were compared with the ledger range by range.
    pub verifications_count: u64,
    /// How often a range differed.
    pub verifications_differing: u64,
    /// The largest difference in bytes that any of these comparisons found.
    pub largest_difference_bytes: u64,
    /// The last comparisons range by range.
    pub verifications: Vec<Verification>,
    /// The last ranges that differed.
    pub differences: Vec<RangeDifference>,
}

impl LedgerCheck {
    /// Whether [`Self::difference_bytes`] is known.
    #[must_use]
    pub const fn is_compared(&self) -> bool {
        self.compared || self.kernel_known
    }
}

/// One comparison of the kernel's maps with the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// When the maps had been read, ns since the trace began.
    pub t_ns: u64,
    /// Mappings compared.
    pub mappings: u64,
    /// Bytes that calls changed while the maps were being read, and which were therefore not compared.
    pub in_motion_bytes: u64,
    /// Ranges that differed.
    pub differing: u64,
    /// Kernel − ledger, bytes.
    pub difference_bytes: i64,
}

/// A range on which the ledger and the kernel differed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RangeDifference {
    /// When it was found, ns since the trace began.
    pub t_ns: u64,
    /// First address.
    pub start: u64,
    /// Bytes.
    pub length: u64,
    /// The ledger's protection (`rw-`); `null`: not mapped there.
    pub ledger: Option<String>,
    /// The kernel's.
    pub kernel: Option<String>,
    /// File or kernel's name of what is there.
    pub name: String,
    /// What it means.
    pub cause: String,
}
