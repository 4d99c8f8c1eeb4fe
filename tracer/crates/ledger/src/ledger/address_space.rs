//! One address space: what is known of it, and what can be asked.

use std::collections::BTreeMap;

use super::change::{Difference, ReservationId};
use super::checks::{Checks, Motion};
use super::interval_map::IntervalMap;
use super::journal::Journal;
use super::page_set::PageSet;
use super::page_size::PageSize;
use super::piece::{Attributes, Piece};
use super::reservation::Reservation;
use super::rules::Rules;
use crate::event::{Address, Nanoseconds, Pid, SpaceId};

/// Hands out reservation ids: one source for all spaces of a ledger.
#[derive(Clone, Debug, Default)]
pub struct Ids(u64);

impl Ids {
    /// An id that was never issued.
    pub fn issue(&mut self) -> ReservationId {
        self.0 += 1;
        ReservationId(self.0)
    }
}

/// One traced address space.
#[derive(Clone, Debug)]
pub struct AddressSpace {
    pub(super) id: SpaceId,
    pub(super) page: PageSize,
    /// When it began to be traced.
    pub(super) began: Nanoseconds,
    /// The processes that use it: one, but for vfork and `CLONE_VM`.
    pub(super) users: Vec<Pid>,
    /// What is mapped, bytes. Every owner is a key of `reservations`.
    pub(super) pieces: IntervalMap<Piece>,
    /// Pages ever touched; all of them mapped.
    pub(super) touched: PageSet,
    /// Pages in memory at the last look; all of them mapped, and touched.
    pub(super) resident: PageSet,
    /// When someone looked.
    pub(super) looked: Option<Nanoseconds>,
    /// While someone is looking: what was mapped, unmapped or emptied meanwhile, bytes.
    pub(super) changed: Option<IntervalMap<()>>,
    pub(super) reservations: BTreeMap<ReservationId, Reservation>,
    /// Sum of `reserved_bytes`: all pieces.
    pub(super) mapped_bytes: u64,
    /// Bytes in pieces that grow down by themselves.
    pub(super) grows_down_bytes: u64,
    /// The reservation that the kernel calls `[stack]`.
    pub(super) main_stack: Option<ReservationId>,
    /// What calls determined, as long as the ledger is not sure.
    pub(super) journal: Option<Journal>,
    pub(super) seeded: bool,
    pub(super) overcommit_never: bool,
    /// Pages in mappings that grow down, by the kernel's last word.
    pub(super) stack_pages: u64,
    pub(super) checks: Checks,
    /// The kernel's own total, bytes; `None`: something may have changed it since it was told.
    pub(super) kernel_bytes: Option<u64>,
    pub(super) motion: Motion,
    pub(super) rules: Rules,
    /// What the event at hand has changed so far; of one reservation also several times.
    pub(super) pending: Vec<(ReservationId, Difference)>,
    /// Reservations that the event at hand has made, ascending.
    pub(super) newborn: Vec<ReservationId>,
    /// What the event at hand has released, piece by piece.
    pub(super) released: Vec<Released>,
    /// Reservations of which the last event has released the last byte, ascending by id.
    pub(super) fallen: Vec<Fallen>,
}

/// A piece that was released.
#[derive(Clone, Copy, Debug)]
pub struct Released {
    pub(super) owner: ReservationId,
    pub(super) start: Address,
    pub(super) end: Address,
    pub(super) protection: u8,
    pub(super) resident_bytes: u64,
}

/// A reservation of which an event has released the last byte, as it was before that event.
#[derive(Clone, Debug)]
pub struct Fallen {
    /// With its figures.
    pub reservation: Reservation,
    /// What it held, ascending: first address, one past the last, `PROT_*` bits.
    pub pieces: Vec<(Address, Address, u8)>,
    /// Of it, in memory at the last look.
    pub resident_bytes: u64,
}

impl AddressSpace {
    /// A space of which nothing is known yet.
    #[must_use]
    pub(super) fn new(
        id: SpaceId,
        page: PageSize,
        rules: Rules,
        began: Nanoseconds,
        user: Pid,
    ) -> Self {
        Self {
            id,
            page,
            began,
            users: vec![user],
            pieces: IntervalMap::default(),
            touched: PageSet::default(),
            resident: PageSet::default(),
            looked: None,
            changed: None,
            reservations: BTreeMap::new(),
            mapped_bytes: 0,
            grows_down_bytes: 0,
            main_stack: None,
            journal: Some(Journal::new(Nanoseconds(0))),
            seeded: false,
            overcommit_never: false,
            stack_pages: 0,
            checks: Checks::default(),
            kernel_bytes: None,
            motion: Motion::default(),
            rules,
            pending: Vec::new(),
            newborn: Vec::new(),
            released: Vec::new(),
            fallen: Vec::new(),
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> SpaceId {
        self.id
    }

    /// When it began to be traced.
    #[must_use]
    pub fn began(&self) -> Nanoseconds {
        self.began
    }

    /// The processes that use it.
    #[must_use]
    pub fn users(&self) -> &[Pid] {
        &self.users
    }

    /// The ledger's total, bytes: to be held against [`Self::kernel_bytes`].
    #[must_use]
    pub fn mapped_bytes(&self) -> u64 {
        self.mapped_bytes
    }

    /// `mm->total_vm` (`VmSize`), bytes: the kernel's own word. Unknown where something may have changed it
    /// since it was told: a call tells what there was before it, a reading of the maps and an exit what there is.
    #[must_use]
    pub fn kernel_bytes(&self) -> Option<u64> {
        self.kernel_bytes
    }

    /// Kernel − ledger, bytes: now if [the kernel's word](Self::kernel_bytes) is known, else when they were last
    /// compared. Unknown before the first comparison and after a loss.
    #[must_use]
    pub fn difference_bytes(&self) -> Option<i64> {
        match self.kernel_bytes {
            Some(kernel) if self.seeded => Some(self.difference(kernel)),
            _ => self.checks.difference,
        }
    }

    /// Whether the maps were read since the space began.
    #[must_use]
    pub fn is_seeded(&self) -> bool {
        self.seeded
    }

    /// Whether the maps must be read (again), with purpose `Seed` or `Resync`, for the ledger to be
    /// sure. A reading that began before the doubt arose does not end it.
    #[must_use]
    pub fn needs_resync(&self) -> bool {
        self.journal.is_some()
    }

    /// Whether the ledger is sure of the page at `address`: nothing that is to be asked of the maps
    /// concerns it.
    #[must_use]
    pub fn is_sure_at(&self, address: Address) -> bool {
        self.is_sure_of(&(address.0..address.0.saturating_add(1)))
    }

    /// Whether the maps must be read because something was lost, or is there that no call explains; else
    /// a call left unclear what it did.
    #[must_use]
    pub fn lost_something(&self) -> bool {
        self.journal
            .as_ref()
            .is_some_and(|journal| journal.lost || journal.unexplained)
    }

    /// When someone last looked which pages are resident.
    #[must_use]
    pub fn looked_at_residence(&self) -> Option<Nanoseconds> {
        self.looked
    }

    /// The living reservations, in the order of their making.
    pub fn reservations(&self) -> impl Iterator<Item = &Reservation> {
        self.reservations.values()
    }

    /// One living reservation.
    #[must_use]
    pub fn reservation(&self, id: ReservationId) -> Option<&Reservation> {
        self.reservations.get(&id)
    }

    /// A reservation of which the last event has released the last byte.
    #[must_use]
    pub fn fallen(&self, id: ReservationId) -> Option<&Fallen> {
        let at = self
            .fallen
            .binary_search_by_key(&id, |one| one.reservation.id);
        at.ok().map(|at| &self.fallen[at])
    }

    /// What a reservation holds, ascending, range by range.
    pub fn pieces(
        &self,
        id: ReservationId,
    ) -> impl Iterator<Item = (Address, Address, &Attributes)> {
        let hull = self
            .reservations
            .get(&id)
            .map_or(0..0, |reservation| reservation.hull.clone());
        self.pieces
            .overlapping(hull)
            .filter(move |(_, piece)| piece.owner == id)
            .map(|(range, piece)| (Address(range.start), Address(range.end), &piece.attributes))
    }

    /// All that is mapped, ascending: first address, one past the last, and what it is. Neighbours
    /// that the kernel would show as one mapping may be several pieces here.
    pub fn ranges(&self) -> impl Iterator<Item = (Address, Address, &Piece)> {
        self.pieces
            .iter()
            .map(|(range, piece)| (Address(range.start), Address(range.end), piece))
    }

    /// Who reserved the page that holds `address`.
    #[must_use]
    pub fn owner(&self, address: Address) -> Option<ReservationId> {
        self.pieces.get(address.0).map(|(_, piece)| piece.owner)
    }

    /// Whether the page that holds `address` was ever touched.
    #[must_use]
    pub fn is_touched(&self, address: Address) -> bool {
        self.touched.contains(address.0 / self.page.bytes())
    }
}
