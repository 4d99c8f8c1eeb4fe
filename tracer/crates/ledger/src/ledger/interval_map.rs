//! A map from ranges to values: the generic leaf under the ledger.

use std::collections::BTreeMap;
use std::ops::Range;

/// Values on disjoint half-open ranges of `u64`.
///
/// Every mutation takes a range and returns what stood there before, clipped to that range, so that
/// a caller can keep totals without a rescan.
#[derive(Clone, Debug)]
pub struct IntervalMap<V> {
    /// Start → (end, value). Invariant: pieces are not empty, do not overlap, ascend, and two pieces
    /// that touch have different values: equal neighbours are always made one. The map is therefore
    /// the same whatever sequence of mutations led to it.
    pieces: BTreeMap<u64, (u64, V)>,
}

impl<V> Default for IntervalMap<V> {
    fn default() -> Self {
        Self {
            pieces: BTreeMap::new(),
        }
    }
}

impl<V: Clone + PartialEq> IntervalMap<V> {
    /// Number of pieces.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// All pieces, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (Range<u64>, &V)> {
        self.pieces
            .iter()
            .map(|(&start, (end, value))| (start..*end, value))
    }

    /// The piece that covers `at`.
    #[must_use]
    pub fn get(&self, at: u64) -> Option<(Range<u64>, &V)> {
        let (&start, (end, value)) = self.pieces.range(..=at).next_back()?;
        (at < *end).then_some((start..*end, value))
    }

    /// The first piece that begins after `at`.
    #[must_use]
    pub fn next_after(&self, at: u64) -> Option<(Range<u64>, &V)> {
        let (&start, (end, value)) = self.pieces.range(at.checked_add(1)?..).next()?;
        Some((start..*end, value))
    }

    /// The last piece that begins before `at`.
    #[must_use]
    pub fn last_before(&self, at: u64) -> Option<(Range<u64>, &V)> {
        let (&start, (end, value)) = self.pieces.range(..at).next_back()?;
        Some((start..*end, value))
    }

    /// The pieces within `range`, clipped to it, ascending.
    pub fn overlapping(&self, range: Range<u64>) -> impl Iterator<Item = (Range<u64>, &V)> {
        let first = self
            .get(range.start)
            .filter(|_| !range.is_empty())
            .map_or(range.start, |(piece, _)| piece.start);
        self.pieces
            .range(first..range.end.max(first))
            .map(move |(&start, (end, value))| {
                (start.max(range.start)..(*end).min(range.end), value)
            })
    }

    /// What no piece covers within `range`, ascending.
    #[must_use]
    pub fn gaps(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let mut gaps = Vec::new();
        let mut at = range.start;
        for (piece, _) in self.overlapping(range.clone()) {
            if at < piece.start {
                gaps.push(at..piece.start);
            }
            at = piece.end;
        }
        if at < range.end {
            gaps.push(at..range.end);
        }
        gaps
    }

    /// Empties `range`; returns what was there.
    pub fn remove(&mut self, range: Range<u64>) -> Vec<(Range<u64>, V)> {
        let mut removed = Vec::new();
        if range.is_empty() {
            return removed;
        }
        if let Some((_, (end, value))) = self.pieces.range_mut(..range.start).next_back()
            && *end > range.start
        {
            let value = value.clone();
            let old_end = std::mem::replace(end, range.start);
            removed.push((range.start..old_end.min(range.end), value.clone()));
            if old_end > range.end {
                self.pieces.insert(range.end, (old_end, value));
            }
        }
        while let Some((&start, _)) = self.pieces.range(range.clone()).next() {
            let Some((end, value)) = self.pieces.remove(&start) else {
                break;
            };
            if end > range.end {
                self.pieces.insert(range.end, (end, value.clone()));
            }
            removed.push((start..end.min(range.end), value));
        }
        removed
    }

    /// Gives all of `range` one value; returns what was there.
    pub fn insert(&mut self, range: Range<u64>, value: V) -> Vec<(Range<u64>, V)> {
        let removed = self.remove(range.clone());
        self.join(range, value);
        removed
    }

    /// Gives every piece within `range` a new value; gaps stay gaps. Returns what was there.
    pub fn update(
        &mut self,
        range: Range<u64>,
        mut change: impl FnMut(&V) -> V,
    ) -> Vec<(Range<u64>, V)> {
        let removed = self.remove(range);
        for (part, value) in &removed {
            self.join(part.clone(), change(value));
        }
        removed
    }

    /// Puts a piece into a range that is free, made one with equal neighbours.
    fn join(&mut self, range: Range<u64>, value: V) {
        if range.is_empty() {
            return;
        }
        let Range { start, mut end } = range;
        if let Some((right_end, right)) = self.pieces.get(&end)
            && *right == value
        {
            let right_end = *right_end;
            self.pieces.remove(&end);
            end = right_end;
        }
        if let Some((_, (left_end, left))) = self.pieces.range_mut(..start).next_back()
            && *left_end == start
            && *left == value
        {
            *left_end = end;
            return;
        }
        self.pieces.insert(start, (end, value));
    }
}

#[cfg(test)]
mod tests;
