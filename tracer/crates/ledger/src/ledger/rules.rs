//! What the host's kernel and the trace's settings make a difference to.

use crate::event::{FaultMode, Started};

/// The first kernel that takes a charge back: `mprotect_fixup` in `mm/mprotect.c` ("mm/mprotect: allow
/// unfaulted VMAs to be unaccounted on mprotect()").
const TAKES_BACK_SINCE: (u32, u32) = (6, 7);
/// The first kernel whose page map tells the page of zeros from others (`PAGEMAP_SCAN` in
/// `fs/proc/task_mmu.c`).
const TELLS_ZEROS_SINCE: (u32, u32) = (6, 7);
/// The first kernel that populates from the first page to the last, and ends at a hole:
/// `madvise_populate` in `mm/madvise.c` ("mm/madvise: make MADV_POPULATE_(READ|WRITE) handle
/// VM_FAULT_RETRY properly"); before, each mapping by itself.
const POPULATES_TO_HOLE_SINCE: (u32, u32) = (6, 9);

/// The first kernel that moves several mappings by one call, and keeps the holes among them:
/// `remap_move` in `mm/mremap.c`.
const MOVES_SEVERAL_SINCE: (u32, u32) = (6, 17);
/// The first kernel that looks for what `mremap` is to move before it releases the target:
/// `check_prep_vma` and `remap_move` in `mm/mremap.c`.
const LOOKS_BEFORE_IT_RELEASES_SINCE: (u32, u32) = (6, 17);

/// The first kernel that puts back what `mmap` has unmapped, if it fails: `vms_abort_munmap_vmas` in
/// `mm/vma.c`.
const RESTORES_SINCE: (u32, u32) = (6, 12);

/// How one host's kernel differs from others, and what the trace can see of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Private memory that was never written to is charged no longer once it ceases to be writable.
    pub takes_back_charges: bool,
    /// Anonymous memory that is resident was written to.
    pub tells_zeros: bool,
    /// `MADV_POPULATE_READ` and `MADV_POPULATE_WRITE` end at a hole.
    pub populates_to_hole: bool,
    /// `mremap` to a fixed place can move several mappings, with holes among them.
    pub moves_several: bool,
    /// An `mremap` of nothing leaves its target alone.
    pub looks_before_it_releases: bool,
    /// An `mmap` to a fixed place that fails leaves there what was mapped, unless its file refused.
    pub restores: bool,
    /// Each page fault is an event: what no fault and no call has written to was not written to.
    pub sees_faults: bool,
}

impl Default for Rules {
    /// A present kernel, all of its faults seen.
    fn default() -> Self {
        Self {
            takes_back_charges: true,
            tells_zeros: true,
            populates_to_hole: true,
            moves_several: true,
            looks_before_it_releases: true,
            restores: true,
            sees_faults: true,
        }
    }
}

impl Rules {
    /// By the trace's header. A release that does not begin with two numbers is taken for a present
    /// one.
    #[must_use]
    pub fn of(started: &Started) -> Self {
        let version = version(&started.kernel);
        let since = |first| version.is_none_or(|version| version >= first);
        Self {
            takes_back_charges: since(TAKES_BACK_SINCE),
            tells_zeros: since(TELLS_ZEROS_SINCE),
            populates_to_hole: since(POPULATES_TO_HOLE_SINCE),
            moves_several: since(MOVES_SEVERAL_SINCE),
            looks_before_it_releases: since(LOOKS_BEFORE_IT_RELEASES_SINCE),
            restores: since(RESTORES_SINCE),
            sees_faults: started.faults == Some(FaultMode::Each),
        }
    }
}

/// The first two numbers of a kernel's release.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_tells_what_its_kernel_does() {
        for (kernel, [since_6_7, since_6_9, since_6_12, since_6_17]) in [
            ("6.18.44-fc", [true, true, true, true]),
            ("6.16.1", [true, true, true, false]),
            ("6.11.2", [true, true, false, false]),
            ("6.9-rc1", [true, true, false, false]),
            ("6.8.12", [true, false, false, false]),
            ("6.6.9", [false, false, false, false]),
            ("6.1.0-51-cloud-amd64", [false, false, false, false]),
            ("10.0", [true, true, true, true]),
            ("", [true, true, true, true]),
        ] {
            let started = Started {
                kernel: kernel.into(),
                faults: Some(FaultMode::Each),
                ..Started::default()
            };
            let expected = Rules {
                takes_back_charges: since_6_7,
                tells_zeros: since_6_7,
                populates_to_hole: since_6_9,
                moves_several: since_6_17,
                looks_before_it_releases: since_6_17,
                restores: since_6_12,
                sees_faults: true,
            };
            assert_eq!(Rules::of(&started), expected, "{kernel}");
        }
        assert!(!Rules::of(&Started::default()).sees_faults);
    }
}
