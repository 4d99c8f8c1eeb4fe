//! Calls that were refused: told one by one for the first few of a place, counted by the kernel from then on.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use tracer_common::account::TOLD_REFUSALS;

use crate::capture::{host, procfs, programs::Programs, ring::now};
use tracer_ledger::event::{Machine, Nanoseconds, Refused, RefusedAgain, SpaceId};

/// Places that are looked at again, at most: as many as the kernel keeps.
const MOST_PLACES: usize = 4096;
/// What the machine had is good for so long.
const FRESH: Duration = Duration::from_millis(50);

/// Places at which calls were refused.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    places: HashMap<u64, Place>,
    machine: Option<(Instant, Machine)>,
}

#[derive(Debug)]
struct Place {
    space: SpaceId,
    /// Refusals there, as far as was told.
    told: u64,
}

impl Refusals {
    /// A refusal: what the machine had besides is added.
    pub(crate) fn arrived(&mut self, refused: &mut Refused) {
        if self.places.len() < MOST_PLACES {
            let space = refused.stamp.space;
            let place = self.places.entry(refused.place);
            place.or_insert(Place { space, told: 0 }).told += 1;
        }
        let machine = match &self.machine {
            Some((read, machine)) if read.elapsed() < FRESH => *machine,
            _ => {
                let machine = host::machine();
                self.machine = Some((Instant::now(), machine));
                machine
            }
        };
        refused.around = procfs::around(refused, &machine);
    }

    /// Where there were more than was told, by the kernel's count; of one address space, or of all.
    pub(crate) fn counted(
        &mut self,
        programs: &Programs,
        of: Option<SpaceId>,
    ) -> Vec<RefusedAgain> {
        let known = self.places.iter_mut();
        let asked = known.filter(|(_, place)| {
            place.told >= TOLD_REFUSALS && of.is_none_or(|space| space == place.space)
        });
        asked
            .filter_map(|(&key, place)| {
                let [count, last] = programs.refusals(key)?;
                if count <= place.told {
                    return None;
                }
                place.told = count;
                Some(RefusedAgain {
                    time: now(),
                    last: Nanoseconds(last),
                    place: key,
                    count,
                })
            })
            .collect()
    }

    /// An address space has ended.
    pub(crate) fn forget(&mut self, space: SpaceId) {
        self.places.retain(|_, place| place.space != space);
    }
}
