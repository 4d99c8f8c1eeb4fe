//! The ledger under test, and the totals that a reader keeps of its changes.

use std::collections::BTreeMap;

use tracer::event::{Address, Event, Found, MapsPurpose, Nanoseconds, Pid, SpaceId};
use tracer::ledger::{AddressSpace, Change, Ledger, Origin, ReservationId};

use crate::machine::*;

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

    pub fn apply(&mut self, event: &Event) {
        let mut changes = Vec::new();
        self.ledger.apply(event, &mut changes);
        for change in changes {
            let (id, difference) = match change {
                Change::Born { id, figures, .. } => {
                    assert!(self.figures.insert(id, [0; 4]).is_none(), "born once");
                    (id, figures)
                }
                Change::Changed { id, difference, .. } | Change::Died { id, difference, .. } => {
                    (id, difference)
                }
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
            } else {
                assert!(sum[0] > 0, "what has nothing is dead");
            }
        }
        self.consistent();
    }

    pub fn run(&mut self, machine: &mut Machine, steps: &[Step]) -> Vec<Machine> {
        let mut states = vec![machine.clone()];
        for step in steps {
            for event in machine.step(step) {
                self.apply(&event);
            }
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
                for page in start.0 / PAGE..end.0 / PAGE {
                    let touched = space.is_touched(Address(page * PAGE));
                    sums[3] += if touched { PAGE as i64 } else { 0 };
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
                // Between the halves of an mremap the pieces are in transit.
                if let Some(sums) = pieces.get(&reservation.id)
                    && sums[0] == of_reservation[0]
                {
                    assert_eq!(*sums, of_reservation);
                    assert_eq!(held.sum::<u64>(), reservation.reserved_bytes);
                }
                figures.insert(reservation.id, of_reservation);
            }
            assert_eq!(space.mapped_bytes(), total);
        }
        assert_eq!(figures, self.figures);
    }

    /// Page by page: mapped, protection; and with `whole`, owner, charge and touch too.
    pub fn check(&self, machine: &Machine, whole: bool) {
        let space = self.space();
        let truth = truth(machine);
        assert_eq!(space.compare(&truth), []);
        let bytes: u64 = truth.iter().map(|line| line.end.0 - line.start.0).sum();
        assert_eq!(space.mapped_bytes(), bytes);
        if !whole {
            return;
        }
        for (at, page) in machine.pages.iter().enumerate() {
            let Some(page) = page else {
                assert!(!space.is_touched(address(at)), "page {at}");
                continue;
            };
            let owner = space
                .owner(address(at))
                .expect("mapped pages have an owner");
            let owner = space.reservation(owner).expect("owners live");
            let kind = match owner.origin {
                Origin::Map => Kind::Map,
                Origin::Remap => Kind::Remap,
                Origin::Break => Kind::Break,
                Origin::Attach | Origin::PreExisting | Origin::Inherited | Origin::Unseen => {
                    Kind::Old
                }
            };
            let made = if kind == Kind::Old { 0 } else { owner.born.0 };
            assert_eq!((made, kind), page.owner, "owner of page {at}");
            assert_eq!(u64::from(owner.stack.0), made, "stack of page {at}");
            let charged = space
                .pieces(owner.id)
                .find(|(start, end, _)| (*start..*end).contains(&address(at)))
                .map(|(_, _, attributes)| attributes.charged);
            assert_eq!(charged, Some(page.charged), "charge of page {at}");
            assert_eq!(
                space.is_touched(address(at)),
                page.touched,
                "touch of page {at}"
            );
        }
    }
}
