//! A snapshot of the kernel's maps against the ledger: seeding, resynchronisation, comparison.

use std::ops::Range;

use tracer_common::bits;

use super::address_space::{AddressSpace, Ids};
use super::change::{Origin, ReservationId};
use super::compare::snapshot;
use super::interval_map::IntervalMap;
use super::journal::{Journal, Settled};
use super::names::Names;
use super::piece::{Attributes, Piece};
use super::reservation::{Birth, Maker};
use crate::event::{Mapping, Maps, StackId};

/// A reading of the maps, and what of the doubt it can settle.
struct Seen<'a> {
    maps: &'a Maps,
    journal: &'a Journal,
    settled: Settled,
}

impl AddressSpace {
    /// A snapshot to seed or to resynchronise by: where no call has determined anything since the
    /// begin of doubt, the kernel is right. Where there is no doubt, it is compared.
    pub(super) fn reconcile(&mut self, ids: &mut Ids, names: &mut Names, maps: &Maps) {
        let moving = self.reading_ends();
        let kernel = snapshot(self.page, &maps.mappings);
        self.grow_stacks(&kernel, &moving);
        // What was in motion may be in it or not: then it is no sum of any moment.
        let sum = kernel
            .iter()
            .map(|(range, _)| range.end - range.start)
            .sum();
        self.kernel_bytes = (moving.len() == 0).then_some(sum);
        let Some(mut journal) = self.journal.take() else {
            self.verify(names, maps, &kernel, &moving);
            return;
        };
        let settled = journal.settled_by(maps.began);
        // Of a space of which nothing is known yet, what was there a moment ago is better than nothing.
        let shown = settled.and_everything_if(!self.seeded);
        journal.keep(&moving, shown);
        if journal.unexplained && !journal.told {
            self.note_unexplained(maps, &kernel, &journal, shown);
        }
        self.drop_unseen(&journal, &kernel, shown);
        let seen = Seen {
            maps,
            journal: &journal,
            settled: shown,
        };
        for (range, &index) in kernel.iter() {
            self.adopt(ids, names, &seen, range, &maps.mappings[index]);
        }
        self.learn_names(names, &maps.mappings);
        self.seeded = true;
        self.journal = journal.without(settled);
        self.grow_stack(self.stack_pages);
    }

    /// Releases what the snapshot does not show and no call has mapped since.
    fn drop_unseen(&mut self, journal: &Journal, kernel: &IntervalMap<usize>, shown: Settled) {
        let gone: Vec<Range<u64>> = self
            .pieces
            .iter()
            .flat_map(|(range, _)| kernel.gaps(range))
            .flat_map(|gap| journal.open(&gap, shown))
            .map(|(part, _)| part)
            .collect();
        for range in gone {
            self.release(range);
        }
    }

    /// Takes one line of the snapshot over, where no call knows better.
    fn adopt(
        &mut self,
        ids: &mut Ids,
        names: &mut Names,
        seen: &Seen<'_>,
        range: Range<u64>,
        mapping: &Mapping,
    ) {
        let journal = seen.journal;
        for part in journal.guessed(&range, seen.settled) {
            self.restyle(part, |attributes| attributes.protected(mapping.protection));
        }
        // A stack that has grown is still the same stack.
        let mut line = self
            .main_stack
            .filter(|id| mapping.name == "[stack]" && self.reservations.contains_key(id));
        for (part, protection) in journal.open(&range, seen.settled) {
            let mut attributes =
                Attributes::of_snapshot(mapping, protection.unwrap_or(mapping.protection));
            // What was there before the trace is told apart by its origin.
            attributes.guessed = self.seeded && mapping.name != "[stack]";
            self.restyle(part.clone(), |old| Attributes {
                guessed: attributes.guessed,
                ..old.seen_as(attributes)
            });
            for gap in self.pieces.gaps(part) {
                let owner = *line.get_or_insert_with(|| {
                    self.discovered(ids, names, journal, seen.maps, mapping)
                });
                self.lay(gap.clone(), Piece { owner, attributes });
                for run in journal.touched.runs(&self.page.pages(&gap)) {
                    let new = self.touched.insert_range(&run);
                    self.note_touched(owner, self.bytes_of(new));
                }
            }
        }
    }

    /// A reservation for a line that the ledger did not know.
    fn discovered(
        &mut self,
        ids: &mut Ids,
        names: &mut Names,
        journal: &Journal,
        maps: &Maps,
        mapping: &Mapping,
    ) -> ReservationId {
        let attach = journal
            .attached
            .iter()
            .find(|(address, _)| *address == mapping.start.0);
        let (origin, maker) = match attach {
            Some((_, maker)) => (Origin::Attach, *maker),
            None if self.seeded => {
                let seen = Maker {
                    stack: StackId::NONE,
                    time: maps.time,
                    ..self.maker_of_old(maps.pid)
                };
                (Origin::Unseen, seen)
            }
            None => (Origin::PreExisting, self.maker_of_old(maps.pid)),
        };
        let is_stack = mapping.name == "[stack]";
        let mut flags = if mapping.shared {
            bits::MAP_SHARED
        } else {
            bits::MAP_PRIVATE
        };
        if mapping.inode == 0 {
            flags |= bits::MAP_ANONYMOUS;
        }
        if is_stack {
            flags |= bits::MAP_GROWSDOWN;
        }
        let id = self.begin(
            ids,
            Birth {
                origin,
                maker,
                asked: mapping.start.0..mapping.end.0.max(mapping.start.0),
                flags,
                protection: mapping.protection,
            },
        );
        if let Some(reservation) = self.reservations.get_mut(&id) {
            reservation.name = names.get(&mapping.name);
            reservation.offset = mapping.offset;
        }
        if is_stack {
            self.main_stack = Some(id);
        }
        id
    }
}
