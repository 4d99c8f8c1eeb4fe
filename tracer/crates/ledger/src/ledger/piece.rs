//! What is known of a range of pages beyond who owns it, and the kernel's rules for it.

use tracer_common::bits;

use super::change::{Difference, ReservationId};
use crate::event::Mapping;

/// The properties of a range of pages of one reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Who reserved these pages first.
    pub owner: ReservationId,
    /// How they are mapped now.
    pub attributes: Attributes,
}

impl Piece {
    /// The same pages, moved (`mremap`): they keep their place in what they are pages of. Anonymous
    /// memory that has none takes that of its new address (`copy_vma` in `mm/vma.c`).
    #[must_use]
    pub(super) fn moved(self, from: u64, to: u64) -> Self {
        let Attributes {
            zero, own_pages, ..
        } = self.attributes;
        let zero = if self.attributes.is_anonymous() && own_pages == OwnPages::None {
            0
        } else {
            zero.wrapping_sub(from).wrapping_add(to)
        };
        let attributes = Attributes {
            zero,
            ..self.attributes
        };
        Self { attributes, ..self }
    }
}

/// Whether a mapping has pages of its own, as the kernel sees it: by mapping (`vma->anon_vma`), not by
/// page, and for good. Private memory has none until it is first written to; reading gives the page of
/// zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OwnPages {
    /// It never had one.
    #[default]
    None,
    /// It had one since it was mapped.
    Some,
    /// It has those of the process that it was forked from: the kernel does not make one mapping of
    /// this and a fresh neighbour (`is_mergeable_anon_vma` in `mm/vma.c`).
    Inherited,
}

/// The System V segment that pages belong to. Each `shmat` makes another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which call attached it; `None` if nobody saw it.
    pub attach: Option<ReservationId>,
    /// Bytes in it; `None` if nobody saw it attached.
    pub length: Option<u64>,
}

impl Segment {
    /// Whether both are one, as far as is known.
    #[must_use]
    pub(super) fn is(self, other: Self) -> bool {
        let both = self.attach.zip(other.attach);
        both.is_none_or(|(one, other)| one == other)
    }
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
    /// A child made by fork finds it empty (`MADV_WIPEONFORK`, `MAP_DROPPABLE`).
    pub wipe_on_fork: bool,
    /// An access is a signal, whatever the protection says (`MADV_GUARD_INSTALL`, since 6.13).
    pub guarded: bool,
    /// Some of this is a guess: it was taken from the maps, which show neither how it grows nor what was
    /// advised (`MADV_DONTFORK`).
    pub guessed: bool,
    /// Pages of its own.
    pub own_pages: OwnPages,
    /// The binary logarithm of a huge page's size (`MAP_HUGETLB`); 0 for ordinary pages.
    pub huge: u8,
    /// The System V segment attached here.
    pub segment: Option<Segment>,
    /// Where the beginning of the file, of the segment or of the shared memory lies, or would lie if it
    /// were mapped: `vm_start` − `vm_pgoff`, which may wrap around. 0 for anonymous memory, unless it
    /// was moved with pages of its own. What has another one is another mapping to the kernel.
    pub zero: u64,
}

impl Attributes {
    /// Private writable memory, as `brk` gives it.
    pub(super) const HEAP: Self = Self {
        protection: bits::PROT_READ_WRITE,
        shared: false,
        file: false,
        unaccounted: false,
        charged: true,
        grows_down: false,
        dont_fork: false,
        wipe_on_fork: false,
        guarded: false,
        guessed: false,
        own_pages: OwnPages::None,
        huge: 0,
        segment: None,
        zero: 0,
    };

    /// Of a new `mmap`. With `overcommit_never` (`vm.overcommit_memory` = 2) the kernel ignores
    /// `MAP_NORESERVE` (`do_mmap` in `mm/mmap.c`).
    #[must_use]
    pub(super) fn of_map(protection: u8, flags: u32, file: bool, overcommit_never: bool) -> Self {
        let kind = flags & bits::MAP_TYPE;
        let attributes = Self {
            protection: protection & bits::PROT_MASK,
            shared: kind == bits::MAP_SHARED || kind == bits::MAP_SHARED_VALIDATE,
            file,
            unaccounted: kind == bits::MAP_DROPPABLE
                || flags & bits::MAP_HUGETLB != 0
                || (flags & bits::MAP_NORESERVE != 0 && !overcommit_never),
            grows_down: flags & bits::MAP_GROWSDOWN != 0,
            wipe_on_fork: kind == bits::MAP_DROPPABLE,
            ..Self::default()
        };
        attributes.charge_if_due()
    }

    /// Of pages that were mapped before anyone looked. `NORESERVE` cannot be seen there, so private
    /// writable memory counts as charged; nor can it be seen whether anything was written, so memory
    /// that may have been counts as if it had.
    ///
    /// The kernel's names tell more: a shared anonymous mapping shows as `/dev/zero`
    /// (`shmem_zero_setup` in `mm/shmem.c`), a System V segment as `/SYSV` and its key (`newseg` in
    /// `ipc/shm.c`), anonymous huge pages as `/anon_hugepage` (`hugetlb_file_setup` in
    /// `fs/hugetlbfs/inode.c`; of which size, it does not show).
    #[must_use]
    pub(super) fn of_snapshot(mapping: &Mapping, protection: u8) -> Self {
        let Mapping { shared, name, .. } = mapping;
        let shared_anonymous = *shared && name.starts_with("/dev/zero");
        let segment = name.starts_with("/SYSV");
        let file = segment || (mapping.inode != 0 && !shared_anonymous);
        let writable = mapping.protection & bits::PROT_WRITE != 0;
        let attributes = Self {
            protection: protection & bits::PROT_MASK,
            shared: *shared,
            file,
            unaccounted: segment || name.starts_with("/anon_hugepage"),
            grows_down: name == "[stack]",
            own_pages: if !*shared && (writable || !file) {
                OwnPages::Some
            } else {
                OwnPages::None
            },
            segment: segment.then_some(Segment {
                attach: None,
                length: None,
            }),
            zero: if *shared || file {
                mapping.start.0.wrapping_sub(mapping.offset)
            } else {
                0
            },
            ..Self::default()
        };
        attributes.charge_if_due()
    }

    /// Of `shmat`: the segment is charged where it was made (`shmget`), not where it is attached.
    #[must_use]
    pub(super) fn of_attach(flags: u32, segment: Segment) -> Self {
        Self {
            protection: Self::attached(flags),
            shared: true,
            file: true,
            unaccounted: true,
            segment: Some(segment),
            ..Self::default()
        }
    }

    /// The protection of an attached segment.
    #[must_use]
    pub(super) fn attached(flags: u32) -> u8 {
        let write = if flags & bits::SHM_RDONLY == 0 {
            bits::PROT_WRITE
        } else {
            0
        };
        let execute = if flags & bits::SHM_EXEC == 0 {
            0
        } else {
            bits::PROT_EXEC
        };
        bits::PROT_READ | write | execute
    }

    /// The same by an `mprotect` (`mprotect_fixup` in `mm/mprotect.c`). Where the kernel can
    /// `take_back` a charge (since 6.7), it does so when anonymous private memory that has no page of
    /// its own ceases to be writable.
    #[must_use]
    pub(super) fn protected_by_call(self, protection: u8, take_back: bool) -> Self {
        let protection = protection & bits::PROT_MASK;
        if protection == self.protection {
            return self;
        }
        let mut protected = self.protected(protection);
        if take_back
            && protection & bits::PROT_WRITE == 0
            && self.is_anonymous()
            && self.own_pages == OwnPages::None
        {
            protected.charged = false;
        }
        protected
    }

    /// The same with another protection, by what is seen of it: private memory that is writable is
    /// charged, and what was charged stays so. Of shared memory no protection changes the charge.
    #[must_use]
    pub(super) fn protected(self, protection: u8) -> Self {
        let protected = Self {
            protection: protection & bits::PROT_MASK,
            ..self
        };
        if self.shared {
            protected
        } else {
            protected.charge_if_due()
        }
    }

    /// The same as a snapshot shows it later: with another protection, or, where what is mapped there is
    /// another thing now, all that the snapshot tells.
    #[must_use]
    pub(super) fn seen_as(self, seen: Self) -> Self {
        let same = self.shared == seen.shared
            && self.segment.is_some() == seen.segment.is_some()
            && (self.huge != 0 || (self.file, self.zero) == (seen.file, seen.zero))
            || self.is_anonymous() && seen.is_anonymous();
        if same {
            // It may be another segment of those that begin here.
            let segment = seen.segment;
            Self { segment, ..self }.protected(seen.protection)
        } else {
            seen
        }
    }

    /// The same, partly a guess.
    #[must_use]
    pub(super) fn guessed(self) -> Self {
        Self {
            guessed: true,
            ..self
        }
    }

    /// As another mapping of the same pages has them (`mremap` of length 0, fork): memory that is
    /// shared was charged with the object, once.
    #[must_use]
    pub(super) fn copied(self) -> Self {
        Self {
            charged: self.charged && !self.shared,
            ..self
        }
    }

    /// The same in a forked child (`dup_mmap` in `kernel/fork.c`).
    #[must_use]
    pub(super) fn inherited(self) -> Self {
        let own_pages = match self.own_pages {
            _ if self.wipe_on_fork => OwnPages::None,
            OwnPages::None => OwnPages::None,
            OwnPages::Some | OwnPages::Inherited => OwnPages::Inherited,
        };
        Self {
            own_pages,
            ..self.copied()
        }
    }

    /// Whether a forked child finds here what its parent has in memory. The pages of other mappings
    /// come by faults of its own (`vma_needs_copy` in `mm/memory.c`).
    #[must_use]
    pub(super) fn is_copied_by_fork(self) -> bool {
        self.own_pages != OwnPages::None && !self.wipe_on_fork
    }

    /// Private memory without a file (`vma_is_anonymous`).
    #[must_use]
    pub(super) fn is_anonymous(self) -> bool {
        !self.shared && !self.file && self.huge == 0
    }

    /// Bytes of one page here, ordinary pages being of `page` bytes: what one fault brings, and what
    /// lengths are rounded up to.
    #[must_use]
    pub(super) fn unit(self, page: u64) -> u64 {
        match self.huge {
            0 => page,
            shift => 1_u64
                .checked_shl(u32::from(shift))
                .unwrap_or(page)
                .max(page),
        }
    }

    /// Whether the kernel would make one mapping of this and `other`, side by side, as far as calls
    /// tell.
    #[must_use]
    pub(super) fn is_alike(self, other: Self) -> bool {
        let guess = self.guessed || other.guessed;
        let key = |attributes: Self| Self {
            own_pages: OwnPages::None,
            guarded: false,
            guessed: false,
            grows_down: attributes.grows_down && !guess,
            dont_fork: attributes.dont_fork && !guess,
            wipe_on_fork: attributes.wipe_on_fork && !guess,
            ..attributes
        };
        key(self) == key(other)
    }

    /// Whether any access is allowed.
    #[must_use]
    pub fn accessible(self) -> bool {
        self.protection != 0
    }

    /// What `bytes` of such pages add to a reservation's figures, untouched.
    #[must_use]
    pub(super) fn figures(self, bytes: u64) -> Difference {
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
    fn a_private_mapping_is_charged_once_it_is_writable() {
        let mapped = Attributes::of_map(0, PRIVATE, false, false);
        assert!(!mapped.charged && !mapped.accessible());
        let writable = mapped.protected(3);
        assert!(writable.charged && writable.accessible());
        assert!(writable.protected(1).charged);
    }

    #[test]
    fn a_charge_is_taken_back_from_what_was_never_written() {
        let writable = Attributes::of_map(3, PRIVATE, false, false);
        assert!(!writable.protected_by_call(1, true).charged);
        assert!(writable.protected_by_call(1, false).charged);
        let written = Attributes {
            own_pages: OwnPages::Some,
            ..writable
        };
        assert!(written.protected_by_call(1, true).charged);
        let of_file = Attributes::of_map(3, bits::MAP_PRIVATE, true, false);
        assert!(of_file.protected_by_call(1, true).charged);
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
        let copied = Attributes::of_map(1, bits::MAP_SHARED, false, false).copied();
        assert!(!copied.charged && !copied.protected(3).charged);
    }

    #[test]
    fn huge_pages_and_attached_segments_are_not_charged() {
        assert!(!Attributes::of_map(3, PRIVATE | bits::MAP_HUGETLB, false, false).charged);
        let segment = Segment {
            attach: None,
            length: None,
        };
        assert!(!Attributes::of_attach(0, segment).charged);
        let read_only = Attributes::of_attach(bits::SHM_RDONLY, segment);
        assert_eq!(read_only.protection, 1);
    }
}
