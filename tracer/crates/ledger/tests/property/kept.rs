//! The ledger under test, and the totals that a reader keeps of its changes.

use std::collections::BTreeMap;

use tracer_ledger::event::{Event, Found, MapsPurpose, Nanoseconds, Pid, SpaceId};
use tracer_ledger::ledger::OwnPages;
use tracer_ledger::ledger::{AddressSpace, Change, Ledger, Origin, ReservationId};

use crate::{machine::*, step::Step, wire::*};

/// A ledger, and the totals that a reader keeps of its changes.
pub struct Kept {
    pub ledger: Ledger,
    pub figures: BTreeMap<ReservationId, [i64; 4]>,
}

impl Kept {
    pub fn new() -> Self {
        let mut kept = Self {
            ledger: Ledger::new(PAGE),
            figures: BTreeMap::new(),
        };
        kept.apply(&Event::Found(Found {
            time: Nanoseconds(1),
            pid: Pid(1),
            space: SpaceId(1),
            ..Found::default()
        }));
        kept
    }

    /// Seeded by a reading that nothing disturbed.
    pub fn seeded(machine: &Machine) -> Self {
        let mut kept = Self::new();
        kept.apply(&maps(2, 3, MapsPurpose::Seed, truth(machine)));
        kept
    }

    /// Applies an event: what it says to have changed has changed.
    pub fn apply(&mut self, event: &Event) {
        let mut changes = Vec::new();
        self.ledger.apply(event, &mut changes);
        for change in changes {
            let (id, space, difference) = match change {
                Change::Born {
                    id, space, figures, ..
                } => {
                    assert!(self.figures.insert(id, [0; 4]).is_none(), "born once");
                    (id, space, figures)
                }
                Change::Changed {
                    id,
                    space,
                    difference,
                    ..
                }
                | Change::Died {
                    id,
                    space,
                    difference,
                    ..
                } => (id, space, difference),
            };
            let sum = self.figures.get_mut(&id).expect("changes come after birth");
            sum[0] += difference.reserved;
            sum[1] += difference.accessible;
            sum[2] += difference.charged;
            sum[3] += difference.touched;
            if let Change::Died { .. } = change {
                assert_eq!(
                    self.figures.remove(&id),
                    Some([0; 4]),
                    "the dead have nothing"
                );
                continue;
            }
            assert!(sum[0] > 0, "what has nothing is dead");
            let space = self.ledger.space(space).expect("alive");
            let reservation = space.reservation(id).expect("alive");
            let figures = [
                reservation.reserved_bytes as i64,
                reservation.accessible_bytes as i64,
                reservation.charged_bytes as i64,
                reservation.touched_bytes as i64,
            ];
            assert_eq!(*sum, figures);
            assert!(reservation.resident_bytes <= reservation.touched_bytes);
        }
    }

    /// Does the steps; the states between them.
    pub fn run(&mut self, machine: &mut Machine, steps: &[Step]) -> Vec<Machine> {
        let mut states = vec![machine.clone()];
        for step in steps {
            for event in machine.step(step) {
                self.apply(&event);
            }
            self.consistent();
            states.push(machine.clone());
        }
        states
    }

    pub fn space(&self) -> &AddressSpace {
        self.ledger.space(SpaceId(1)).expect("alive")
    }

    /// Figures of reservations, sums of changes and the map itself are one.
    pub fn consistent(&self) {
        let mut figures = BTreeMap::new();
        for (_, space) in self.ledger.spaces() {
            let mut pieces: BTreeMap<ReservationId, [i64; 4]> = BTreeMap::new();
            for (start, end, piece) in space.ranges() {
                let sums = pieces.entry(piece.owner).or_default();
                let bytes = (end.0 - start.0) as i64;
                sums[0] += bytes;
                sums[1] += if piece.attributes.protection == 0 {
                    0
                } else {
                    bytes
                };
                sums[2] += if piece.attributes.charged { bytes } else { 0 };
                let mut at = start;
                while at < end {
                    sums[3] += if space.is_touched(at) { PAGE as i64 } else { 0 };
                    at.0 += PAGE;
                }
            }
            let mut total = 0;
            for reservation in space.reservations() {
                total += reservation.reserved_bytes;
                let of_reservation = [
                    reservation.reserved_bytes as i64,
                    reservation.accessible_bytes as i64,
                    reservation.charged_bytes as i64,
                    reservation.touched_bytes as i64,
                ];
                let held = space
                    .pieces(reservation.id)
                    .map(|(start, end, _)| end.0 - start.0);
                assert_eq!(held.sum::<u64>(), reservation.reserved_bytes);
                assert_eq!(pieces.get(&reservation.id), Some(&of_reservation));
                figures.insert(reservation.id, of_reservation);
            }
            assert_eq!(space.mapped_bytes(), total);
        }
        assert_eq!(figures, self.figures);
    }

    /// Page by page: mapped, protection.
    pub fn check_maps(&self, machine: &Machine) {
        let space = self.space();
        let truth = truth(machine);
        assert_eq!(space.compare(&truth), []);
        let bytes: u64 = truth.iter().map(|line| line.end.0 - line.start.0).sum();
        assert_eq!(space.mapped_bytes(), bytes);
    }

    /// Page by page all that the ledger of a space knows.
    pub fn check(&self, machine: &Machine, space: SpaceId, inherited: u64) {
        let space = self.ledger.space(space).expect("alive");
        let mut resident: BTreeMap<ReservationId, u64> = BTreeMap::new();
        let mut ranges = space.ranges().peekable();
        for (at, page) in machine.pages.iter().enumerate() {
            while ranges.next_if(|(_, end, _)| *end <= address(at)).is_some() {}
            let piece = ranges
                .peek()
                .filter(|(start, ..)| *start <= address(at))
                .map(|(_, _, piece)| *piece);
            let (Some(page), Some(piece)) = (page, piece) else {
                assert!(page.is_none() && piece.is_none(), "page {at}: {page:?}");
                assert!(!space.is_touched(address(at)), "page {at}");
                continue;
            };
            let owner = space.reservation(piece.owner).expect("owners live");
            let kind = match owner.origin {
                Origin::Map => Kind::Map,
                Origin::Remap => Kind::Remap,
                Origin::Break => Kind::Break,
                Origin::Attach => Kind::Attach,
                Origin::PreExisting | Origin::Unseen => Kind::Old,
                Origin::Inherited => page.owner.1,
            };
            let made = if kind == Kind::Old { 0 } else { owner.born.0 };
            assert_eq!((made, kind), page.owner, "owner of page {at}");
            if kind != Kind::Old {
                assert_eq!(u64::from(owner.stack.0), made, "stack of page {at}");
                assert_eq!(
                    owner.origin == Origin::Inherited,
                    made <= inherited,
                    "page {at}"
                );
            }
            let attributes = piece.attributes;
            let own = match attributes.own_pages {
                OwnPages::None => Own::None,
                OwnPages::Some => Own::Some,
                OwnPages::Inherited => Own::Inherited,
            };
            let known = (
                own,
                attributes.protection,
                attributes.shared,
                attributes.charged,
                space.is_touched(address(at)),
            );
            let mapped = page.mapped;
            let truth = (
                page.own,
                mapped.protection,
                mapped.shared,
                mapped.charged,
                page.touched,
            );
            assert_eq!(known, truth, "page {at}: {page:?} {attributes:?}");
            *resident.entry(piece.owner).or_default() += if page.resident { PAGE } else { 0 };
        }
        for reservation in space.reservations() {
            assert!(reservation.resident_bytes <= reservation.touched_bytes);
            assert_eq!(
                resident.get(&reservation.id),
                Some(&reservation.resident_bytes)
            );
        }
    }
}
