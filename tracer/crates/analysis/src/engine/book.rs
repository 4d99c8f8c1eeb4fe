//! Ledger and analysis, kept together: one event goes into both, live or from a recording.

use crate::model::summary::Report;
use crate::model::window::Window;
use crate::{Analysis, LedgerView, LivingReservation, Progress, SpaceView, patterns::Patterns};
use tracer_ledger::event::{Address, Event, SpaceId};
use tracer_ledger::ledger::{AddressSpace, Change, Checks, Ledger, Reservation, ReservationId};

/// Ledger and analysis of one trace.
#[derive(Debug)]
pub struct Book {
    ledger: Ledger,
    analysis: Analysis,
    /// Kept for its memory.
    changes: Vec<Change>,
}

impl Book {
    /// An empty book for a machine with pages of this size, that recognises these patterns and looks at
    /// this part of the trace.
    #[must_use]
    pub fn new(page_bytes: u64, patterns: Patterns, window: Window) -> Self {
        Self {
            ledger: Ledger::new(page_bytes),
            analysis: Analysis::new(patterns, window),
            changes: Vec::new(),
        }
    }

    /// Enters one event.
    pub fn apply(&mut self, event: &Event) {
        if self.analysis.is_beyond(event) {
            return;
        }
        self.changes.clear();
        self.ledger.apply(event, &mut self.changes);
        self.analysis.apply(event, &self.changes, &self.ledger);
    }

    /// How things stand.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.analysis.progress()
    }

    /// The ledger, to look at.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The report on everything entered so far.
    #[must_use]
    pub fn report(&self) -> Report {
        self.analysis.report(&self.ledger)
    }

    /// The same at the cost of what lives: what had ended well before an earlier report of this trace is taken from
    /// there, with the numbers that its sites had.
    #[must_use]
    pub fn report_after(&self, earlier: Option<&Report>) -> Report {
        self.analysis.report_after(&self.ledger, earlier)
    }
}

impl LedgerView for Ledger {
    fn space(&self, id: SpaceId) -> Option<impl SpaceView> {
        self.space(id)
    }

    fn left(&self) -> Option<impl SpaceView> {
        self.left()
    }

    fn fallen(&self, space: SpaceId, id: ReservationId) -> Option<LivingReservation> {
        let space = self.space(space)?;
        let looked = space.looked_at_residence().is_some();
        let fallen = space.fallen(id)?;
        let pieces = fallen.pieces.iter();
        let pieces = pieces.map(|(start, end, protection)| (*start, *end, *protection));
        Some(LivingReservation {
            resident: looked.then_some(fallen.resident_bytes),
            ..shaped(&fallen.reservation, pieces)
        })
    }
}

impl SpaceView for &AddressSpace {
    fn id(&self) -> SpaceId {
        AddressSpace::id(self)
    }

    fn living(&self) -> Vec<LivingReservation> {
        let looked = self.looked_at_residence().is_some();
        self.reservations()
            .map(|reservation| living(self, reservation, looked))
            .collect()
    }

    fn mapped_bytes(&self) -> u64 {
        AddressSpace::mapped_bytes(self)
    }

    fn kernel_bytes(&self) -> Option<u64> {
        AddressSpace::kernel_bytes(self)
    }

    fn is_in_doubt(&self) -> bool {
        AddressSpace::needs_resync(self)
    }

    fn checks(&self) -> Checks {
        AddressSpace::checks(self).clone()
    }
}

/// One reservation as the analysis wants it. `looked`: what is resident is known.
fn living(space: &AddressSpace, reservation: &Reservation, looked: bool) -> LivingReservation {
    let pieces = space.pieces(reservation.id);
    let pieces = pieces.map(|(start, end, piece)| (start, end, piece.protection));
    LivingReservation {
        resident: looked.then_some(reservation.resident_bytes),
        ..shaped(reservation, pieces)
    }
}

/// A reservation that holds these pieces (first address, one past the last, protection), ascending.
fn shaped(
    reservation: &Reservation,
    pieces: impl Iterator<Item = (Address, Address, u8)>,
) -> LivingReservation {
    let mut hull: Option<(u64, u64)> = None;
    let mut accessible_at = None;
    let mut bytes_by_protection = [0u64; 8];
    for (start, end, protection) in pieces {
        hull = Some((hull.map_or(start.0, |(first, _)| first), end.0));
        if protection != 0 {
            accessible_at.get_or_insert(start.0);
        }
        bytes_by_protection[usize::from(protection & 7)] += end.0 - start.0;
    }
    let (start, end) = hull.unwrap_or_default();
    let most = (0..8u8).max_by_key(|bits| bytes_by_protection[usize::from(*bits)]);
    LivingReservation {
        id: reservation.id,
        start: Address(start),
        length: end - start,
        accessible_at: accessible_at.map(|at| at - start),
        protection: most.unwrap_or_default(),
        flags: reservation.flags,
        name: reservation.name.to_string(),
        file: reservation.file,
        reserved: reservation.reserved_bytes,
        accessible: reservation.accessible_bytes,
        touched: reservation.touched_bytes,
        resident: None,
        charged: reservation.charged_bytes,
    }
}
