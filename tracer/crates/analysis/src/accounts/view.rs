//! What the analysis asks of the ledger: what is alive, and how much the kernel says there is.

use tracer_ledger::event::{Address, SpaceId};
use tracer_ledger::ledger::{Checks, MappedFile, change::ReservationId};

/// What is left of one reservation, as the ledger knows it now. Sizes in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LivingReservation {
    /// Its id in the changes.
    pub id: ReservationId,
    /// First address still held.
    pub start: Address,
    /// From there to one past the last address still held: at least [`Self::reserved`].
    pub length: u64,
    /// Where the first accessible byte lies, from `start` on; `None`: none is accessible.
    pub accessible_at: Option<u64>,
    /// `PROT_*` bits of the most bytes.
    pub protection: u8,
    /// `MAP_*` bits of the call, or as far as `/proc/PID/maps` shows them.
    pub flags: u32,
    /// File or kernel's name, empty if none.
    pub name: String,
    /// The file that it is of, where the call has told it.
    pub file: Option<MappedFile>,
    /// Bytes still held.
    pub reserved: u64,
    /// Of these, with a protection other than NONE.
    pub accessible: u64,
    /// Of these, touched as far as faults were followed.
    pub touched: u64,
    /// Of these, in memory at the last look; `None`: nobody looked.
    pub resident: Option<u64>,
    /// Of these, charged against the commit limit.
    pub charged: u64,
}

/// The ledger, read.
pub trait LedgerView {
    /// An address space that lives; `None`: the ledger does not know it.
    fn space(&self, id: SpaceId) -> Option<impl SpaceView>;
    /// The address space that a process left with the event at hand, its exit or exec; as it was in the end, if
    /// no other lives on in it.
    fn left(&self) -> Option<impl SpaceView>;
    /// A reservation of which the event at hand has given back the last byte, as it was before that.
    fn fallen(&self, space: SpaceId, id: ReservationId) -> Option<LivingReservation>;
}

/// An address space, read.
pub trait SpaceView {
    /// Its id.
    fn id(&self) -> SpaceId;
    /// Everything alive in it, in any order.
    fn living(&self) -> Vec<LivingReservation>;
    /// Bytes that the ledger holds for it.
    fn mapped_bytes(&self) -> u64;
    /// Bytes that the kernel said it has; `None`: it has not since something may have changed that.
    fn kernel_bytes(&self) -> Option<u64>;
    /// Whether there is something that the kernel's maps would have to be asked for.
    fn is_in_doubt(&self) -> bool;
    /// How its ledger stood against the kernel so far.
    fn checks(&self) -> Checks;
}
