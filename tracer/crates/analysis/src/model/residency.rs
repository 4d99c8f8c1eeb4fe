//! What the resident memory of a process is, and how many mappings it has: a part of [`crate::model::summary`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the resident memory of a process is: as of the last look before its ending. `null`: nobody looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Residency {
    /// Pages that nobody else maps.
    pub private_bytes: Option<u64>,
    /// Pages that others map too.
    pub shared_bytes: Option<u64>,
    /// Each page divided by the number of those who map it (PSS).
    pub proportional_bytes: Option<u64>,
    /// Pages of files: the kernel can take them back.
    pub page_cache_bytes: Option<u64>,
    /// Given back by `MADV_FREE`: taken when the kernel needs them.
    pub lazily_freed_bytes: Option<u64>,
    /// In huge pages.
    pub huge_page_bytes: Option<u64>,
    /// Locked.
    pub locked_bytes: Option<u64>,
    /// Out of the pool of huge pages: in no figure of what is resident.
    pub hugetlb_bytes: Option<u64>,
    /// Of files and shared memory that this process maps more than once, what the kernel's figure of what is resident
    /// counts again; `null`: nothing.
    #[serde(default)]
    pub mapped_again_bytes: Option<u64>,
    /// Written to since a fork, while another process had the same pages, and so copied: growth of this one.
    #[serde(default)]
    pub copied_bytes: Option<u64>,
}

/// Mappings of a process (`mm->map_count`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MappingCount {
    /// At the end; `null`: not known.
    pub end: Option<u64>,
    /// At the most; `null`: not known.
    pub peak: Option<u64>,
    /// `vm.max_map_count`; `null`: not known.
    pub limit: Option<u64>,
}
