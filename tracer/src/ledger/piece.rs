//! What is known of a range of pages beyond who owns it, and the kernel's rules for it.

use super::bits;
use super::change::{Difference, ReservationId};

/// The properties of a range of pages of one reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Who reserved these pages first.
    pub owner: ReservationId,
    /// How they are mapped now.
    pub attributes: Attributes,
}

/// How pages are mapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `PROT_READ`, `PROT_WRITE`, `PROT_EXEC` (1, 2, 4); other bits are dropped.
    pub protection: u8,
    /// `MAP_SHARED` rather than private.
    pub shared: bool,
    /// Backed by a file.
    pub file: bool,
    /// Never charged against the commit limit: `MAP_NORESERVE`, huge pages.
    pub unaccounted: bool,
    /// Charged against the commit limit.
    pub charged: bool,
    /// Grows down by itself (`VM_GROWSDOWN`).
    pub grows_down: bool,
    /// A child made by fork does not get it (`MADV_DONTFORK`).
    pub dont_fork: bool,
}

impl Attributes {
    /// Private writable memory, as `brk` gives it.
    pub const HEAP: Self = Self {
        protection: bits::PROT_READ_WRITE,
        shared: false,
        file: false,
        unaccounted: false,
        charged: true,
        grows_down: false,
        dont_fork: false,
    };

    /// Of a new `mmap`. With `overcommit_never` (`vm.overcommit_memory` = 2) the kernel ignores
    /// `MAP_NORESERVE` (`do_mmap` in `mm/mmap.c`).
    #[must_use]
    pub fn of_map(protection: u8, flags: u32, file: bool, overcommit_never: bool) -> Self {
        let kind = flags & bits::MAP_TYPE;
        let attributes = Self {
            protection: protection & bits::PROT_MASK,
            shared: kind == bits::MAP_SHARED || kind == bits::MAP_SHARED_VALIDATE,
            file,
            unaccounted: kind == bits::MAP_DROPPABLE
                || flags & bits::MAP_HUGETLB != 0
                || (flags & bits::MAP_NORESERVE != 0 && !overcommit_never),
            charged: false,
            grows_down: flags & bits::MAP_GROWSDOWN != 0,
            dont_fork: false,
        };
        attributes.charge_if_due()
    }

    /// Of pages that were mapped before anyone looked: `NORESERVE` cannot be seen there, so private
    /// writable memory counts as charged. A shared anonymous mapping shows as `/dev/zero`.
    #[must_use]
    pub fn of_snapshot(protection: u8, shared: bool, file: bool, name: &str) -> Self {
        let shared_anonymous = shared && name.starts_with("/dev/zero");
        let attributes = Self {
            protection: protection & bits::PROT_MASK,
            shared,
            file: file && !shared_anonymous,
            unaccounted: false,
            charged: false,
            grows_down: name == "[stack]",
            dont_fork: false,
        };
        attributes.charge_if_due()
    }

    /// Of `shmat`: the segment is charged where it was made (`shmget`), not where it is attached.
    #[must_use]
    pub fn of_attach(flags: u32) -> Self {
        let write = if flags & bits::SHM_RDONLY == 0 {
            bits::PROT_WRITE
        } else {
            0
        };
        let execute = if flags & bits::SHM_EXEC == 0 { 0 } else { 4 };
        Self {
            protection: 1 | write | execute,
            shared: true,
            file: true,
            unaccounted: true,
            ..Self::default()
        }
    }

    /// The same with another protection. Private memory that becomes writable is charged and stays
    /// so: the kernel takes a charge back only from a mapping that never faulted, and only since 6.3
    /// (`mprotect_fixup` in `mm/mprotect.c`), which is not followed here.
    #[must_use]
    pub fn protected(self, protection: u8) -> Self {
        let protected = Self {
            protection: protection & bits::PROT_MASK,
            ..self
        };
        protected.charge_if_due()
    }

    /// As another mapping of the same pages has them (`mremap` of length 0, fork): memory that is
    /// shared was charged with the object, once.
    #[must_use]
    pub fn copied(self) -> Self {
        Self {
            charged: self.charged && !self.shared,
            ..self
        }
    }

    /// Whether any access is allowed.
    #[must_use]
    pub fn accessible(self) -> bool {
        self.protection != 0
    }

    /// What `bytes` of such pages add to a reservation's figures, untouched.
    #[must_use]
    pub fn figures(self, bytes: u64) -> Difference {
        let bytes = bytes.cast_signed();
        Difference {
            reserved: bytes,
            accessible: if self.accessible() { bytes } else { 0 },
            charged: if self.charged { bytes } else { 0 },
            touched: 0,
        }
    }

    /// `accountable_mapping` in `mm/mmap.c` for private memory (writable, not `NORESERVE`);
    /// `shmem_zero_setup` for shared anonymous memory, whatever its protection.
    fn charge_if_due(self) -> Self {
        let due = if self.shared {
            !self.file
        } else {
            self.protection & bits::PROT_WRITE != 0
        };
        Self {
            charged: self.charged || (due && !self.unaccounted),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIVATE: u32 = bits::MAP_PRIVATE | bits::MAP_ANONYMOUS;

    #[test]
    fn a_private_mapping_is_charged_once_it_is_writable_and_stays_charged() {
        let mapped = Attributes::of_map(0, PRIVATE, false, false);
        assert!(!mapped.charged && !mapped.accessible());
        let writable = mapped.protected(3);
        assert!(writable.charged && writable.accessible());
        assert!(writable.protected(1).charged);
    }

    #[test]
    fn noreserve_is_never_charged_unless_the_machine_never_overcommits() {
        let flags = PRIVATE | bits::MAP_NORESERVE;
        assert!(!Attributes::of_map(3, flags, false, false).charged);
        assert!(
            !Attributes::of_map(0, flags, false, false)
                .protected(3)
                .charged
        );
        assert!(Attributes::of_map(3, flags, false, true).charged);
    }

    #[test]
    fn shared_memory_is_charged_only_without_a_file() {
        assert!(Attributes::of_map(0, bits::MAP_SHARED, false, false).charged);
        assert!(!Attributes::of_map(3, bits::MAP_SHARED, true, false).charged);
        assert!(
            !Attributes::of_map(3, bits::MAP_SHARED, false, false)
                .copied()
                .charged
        );
    }

    #[test]
    fn huge_pages_and_attached_segments_are_not_charged() {
        assert!(!Attributes::of_map(3, PRIVATE | bits::MAP_HUGETLB, false, false).charged);
        assert!(!Attributes::of_attach(0).charged);
        assert_eq!(Attributes::of_attach(bits::SHM_RDONLY).protection, 1);
    }
}
