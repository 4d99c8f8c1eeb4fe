//! The reservations of a process in the order of their addresses. Very many are too much for a page: the
//! largest stand by themselves, and the small ones between them are taken together with their neighbours.

use std::cmp::Reverse;

use serde::Serialize;

use super::interned::Interned;
use tracer_analysis::summary::Reservation;

/// Columns; the n-th of each belong together.
#[derive(Debug, Default, Serialize)]
pub struct Reservations {
    /// How many there are in the report.
    total: usize,
    /// Hexadecimal: addresses may be beyond what JavaScript's numbers hold.
    start: Vec<String>,
    length: Vec<u64>,
    /// How many were taken together: 1 of most.
    count: Vec<u64>,
    /// Of the largest, if there are several.
    site: Vec<u32>,
    protection: Vec<u32>,
    flags: Vec<u32>,
    /// When it was made, ns; of several the first; `null`: before tracing.
    born: Vec<Option<u64>>,
    reserved: Vec<u64>,
    accessible: Vec<u64>,
    touched: Vec<Option<u64>>,
    resident: Vec<Option<u64>>,
    pre_existing: Vec<u8>,
    name: Vec<u32>,
}

/// At most about one and a half times `most` rows of `all`.
pub fn columns(all: &[Reservation], most: usize, interned: &mut Interned) -> Reservations {
    let mut columns = Reservations {
        total: all.len(),
        ..Reservations::default()
    };
    let mut by_size: Vec<usize> = (0..all.len()).collect();
    by_size.sort_by_key(|&index| Reverse(all[index].reserved_bytes));
    let alone = if all.len() <= most {
        all.len()
    } else {
        most / 2
    };
    let mut stands_alone = vec![false; all.len()];
    for &index in &by_size[..alone] {
        stands_alone[index] = true;
    }
    let together = (all.len() - alone).div_ceil((most / 2).max(1)).max(1);
    let mut by_address: Vec<usize> = (0..all.len()).collect();
    by_address.sort_by_key(|&index| all[index].start);
    let mut run: Vec<&Reservation> = Vec::new();
    for index in by_address {
        if stands_alone[index] || run.len() >= together {
            columns.push(&run, interned);
            run.clear();
        }
        if stands_alone[index] {
            columns.push(&[&all[index]], interned);
        } else {
            run.push(&all[index]);
        }
    }
    columns.push(&run, interned);
    columns
}

impl Reservations {
    fn push(&mut self, run: &[&Reservation], interned: &mut Interned) {
        let Some((first, largest)) = run
            .first()
            .zip(run.iter().max_by_key(|one| one.reserved_bytes))
        else {
            return;
        };
        let sum = |figure: fn(&Reservation) -> u64| {
            run.iter()
                .fold(0u64, |sum, one| sum.saturating_add(figure(one)))
        };
        let known = |figure: fn(&Reservation) -> Option<u64>| {
            run.iter()
                .try_fold(0u64, |sum, one| Some(sum.saturating_add(figure(one)?)))
        };
        let ends = run.iter().map(|one| one.start.saturating_add(one.length));
        let end = ends.max().unwrap_or(first.start);
        let born = run.iter().map(|one| one.born_ns).min();
        self.start.push(format!("{:x}", first.start));
        self.length.push(end - first.start);
        self.count.push(run.len() as u64);
        self.site.push(largest.site);
        self.protection.push(interned.string(&largest.protection));
        self.flags.push(interned.string(&largest.flags.join(" ")));
        self.born.push(born.flatten());
        self.reserved.push(sum(|one| one.reserved_bytes));
        self.accessible.push(sum(|one| one.accessible_bytes));
        self.touched.push(known(|one| one.touched_bytes));
        self.resident.push(known(|one| one.resident_bytes));
        self.pre_existing.push(u8::from(largest.pre_existing));
        self.name.push(interned.string(&largest.name));
    }
}

#[cfg(test)]
mod tests {
    use super::columns;
    use crate::html::interned::Interned;
    use tracer_analysis::summary::Reservation;

    fn of(sizes: &[u64]) -> Vec<Reservation> {
        let mut start = 0x1000;
        let mut all: Vec<Reservation> = sizes
            .iter()
            .map(|&bytes| {
                start += 0x10_000;
                Reservation {
                    start,
                    length: bytes,
                    reserved_bytes: bytes,
                    touched_bytes: Some(1),
                    ..Reservation::default()
                }
            })
            .collect();
        // As in a report: largest first.
        all.sort_by_key(|one| std::cmp::Reverse(one.reserved_bytes));
        all
    }

    #[test]
    fn few_stand_by_themselves_in_the_order_of_addresses() {
        let few = columns(&of(&[1, 3, 2]), 3, &mut Interned::new());
        assert_eq!(few.reserved, [1, 3, 2]);
        assert_eq!(few.count, [1, 1, 1]);
        assert_eq!(few.start[0], "11000");
    }

    #[test]
    fn of_many_the_small_neighbours_are_taken_together_and_nothing_is_lost() {
        let sizes: Vec<u64> = (0..1_000)
            .map(|n| if n % 100 == 50 { 4_000 } else { n % 7 + 1 })
            .collect();
        let many = columns(&of(&sizes), 40, &mut Interned::new());
        assert!(many.start.len() <= 60, "{}", many.start.len());
        assert_eq!(many.count.iter().sum::<u64>(), 1_000);
        assert_eq!(many.reserved.iter().sum::<u64>(), sizes.iter().sum::<u64>());
        let known: Option<Vec<u64>> = many.touched.iter().copied().collect();
        assert_eq!(known.unwrap().iter().sum::<u64>(), 1_000);
        assert_eq!(many.total, 1_000);
        let alone = many.reserved.iter().zip(&many.count);
        let alone = alone.filter(|(bytes, count)| **bytes == 4_000 && **count == 1);
        assert_eq!(alone.count(), 10);
    }
}
