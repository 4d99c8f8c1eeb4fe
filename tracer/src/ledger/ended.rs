//! What is kept of address spaces that have ended, for the report: bounded, whatever the traced
//! processes do.

use super::address_space::AddressSpace;
use super::page_set::PageSet;
use super::reservation::Reservation;
use crate::event::{Nanoseconds, Pid};

/// Reservations kept of one run, the largest.
const MOST_OF_A_RUN: usize = 1000;
/// Reservations kept in all; beyond, a run keeps but a few.
const MOST_IN_ALL: usize = 100_000;
/// These few.
const FEW: usize = 16;
/// Runs kept at all: beyond, they are only counted.
const MOST_RUNS: usize = 50_000;

/// A program that has ended: its address space in its last state.
#[derive(Clone, Debug)]
pub struct EndedRun {
    /// The process that was the last to use the space.
    pub pid: Pid,
    /// When it exited, or began another program.
    pub time: Nanoseconds,
    /// The space, as it was just before. Its totals are whole; its reservations are the largest.
    pub space: AddressSpace,
    /// Reservations that were left out.
    pub omitted: u64,
    /// Their bytes.
    pub omitted_bytes: u64,
}

/// All ended runs.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    runs: Vec<EndedRun>,
    /// Reservations in `runs`.
    kept: usize,
}

impl Ended {
    /// In the order of their ends.
    pub fn runs(&self) -> &[EndedRun] {
        &self.runs
    }

    /// Hands all over.
    pub fn take(&mut self) -> Vec<EndedRun> {
        self.kept = 0;
        std::mem::take(&mut self.runs)
    }

    /// Keeps the last state of a space.
    pub fn push(&mut self, pid: Pid, time: Nanoseconds, mut space: AddressSpace) {
        if self.runs.len() >= MOST_RUNS {
            return;
        }
        let most = if self.kept < MOST_IN_ALL {
            MOST_OF_A_RUN
        } else {
            FEW
        };
        let (omitted, omitted_bytes) = space.shrink(most);
        self.kept += space.reservations.len();
        self.runs.push(EndedRun {
            pid,
            time,
            space,
            omitted,
            omitted_bytes,
        });
    }
}

impl AddressSpace {
    /// Keeps the `most` largest reservations and the figures, and nothing that only serves to go on.
    fn shrink(&mut self, most: usize) -> (u64, u64) {
        self.touched = PageSet::default();
        self.resident = PageSet::default();
        self.transit = Vec::new();
        self.journal = self
            .journal
            .take()
            .map(|doubt| super::journal::Journal::new(doubt.since));
        if self.reservations.len() <= most {
            return (0, 0);
        }
        let mut sizes: Vec<_> = self
            .reservations
            .values()
            .map(|reservation| (reservation.reserved_bytes, reservation.id))
            .collect();
        // The largest first, among equals the oldest.
        sizes.sort_unstable_by_key(|&(bytes, id)| (std::cmp::Reverse(bytes), id));
        let mut omitted_bytes = 0;
        for &(bytes, id) in &sizes[most..] {
            omitted_bytes += bytes;
            self.reservations.remove(&id);
        }
        let gone: Vec<_> = self
            .pieces
            .iter()
            .filter(|(_, piece)| !self.reservations.contains_key(&piece.owner))
            .map(|(range, _)| range)
            .collect();
        for range in gone {
            self.pieces.remove(range);
        }
        ((sizes.len() - most) as u64, omitted_bytes)
    }
}

impl EndedRun {
    /// What is kept, the largest first.
    #[must_use]
    pub fn largest(&self) -> Vec<&Reservation> {
        let mut all: Vec<_> = self.space.reservations().collect();
        all.sort_by_key(|reservation| {
            (
                std::cmp::Reverse(reservation.reserved_bytes),
                reservation.id,
            )
        });
        all
    }
}
