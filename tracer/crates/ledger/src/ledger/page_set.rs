//! Sets of pages (touched, resident): sparse, so that a 10 GiB cage of which three pages were
//! touched costs a few words, and dropping it visits only those.

use std::collections::BTreeMap;
use std::ops::Range;

use super::interval_map::IntervalMap;

/// Pages in a word.
const WORD: u64 = 64;

/// A set of page numbers.
#[derive(Clone, Debug, Default)]
pub struct PageSet {
    /// Word number (page / 64) → bits, never 0. A word is here or in `full`, not in both.
    words: BTreeMap<u64, u64>,
    /// Ranges of word numbers that were filled at once: a target may populate terabytes of a short
    /// file by one cheap call, which must not cost the tracer memory.
    full: IntervalMap<()>,
}

/// A range of pages as words: `(word, mask)` at its ragged ends, and the whole words between.
struct Words {
    ends: [Option<(u64, u64)>; 2],
    whole: Range<u64>,
}

impl Words {
    fn of(pages: &Range<u64>) -> Self {
        if pages.is_empty() {
            return Self {
                ends: [None, None],
                whole: 0..0,
            };
        }
        let (first, last) = (pages.start / WORD, (pages.end - 1) / WORD);
        let head = u64::MAX << (pages.start % WORD);
        let tail = u64::MAX >> (WORD - 1 - (pages.end - 1) % WORD);
        if first == last {
            let mask = head & tail;
            return if mask == u64::MAX {
                Self {
                    ends: [None, None],
                    whole: first..last + 1,
                }
            } else {
                Self {
                    ends: [Some((first, mask)), None],
                    whole: 0..0,
                }
            };
        }
        Self {
            ends: [
                (head != u64::MAX).then_some((first, head)),
                (tail != u64::MAX).then_some((last, tail)),
            ],
            whole: first + u64::from(head != u64::MAX)..last + u64::from(tail == u64::MAX),
        }
    }
}

impl PageSet {
    /// Adds one page; whether it was new.
    pub fn insert(&mut self, page: u64) -> bool {
        self.insert_bits(page / WORD, 1 << (page % WORD)) == 1
    }

    /// Whether the page is in the set.
    #[must_use]
    pub fn contains(&self, page: u64) -> bool {
        self.bits(page / WORD) & (1 << (page % WORD)) != 0
    }

    /// Adds all of `pages`; how many were new.
    pub fn insert_range(&mut self, pages: &Range<u64>) -> u64 {
        let words = Words::of(pages);
        let mut new = 0;
        for (word, mask) in words.ends.into_iter().flatten() {
            new += self.insert_bits(word, mask);
        }
        if !words.whole.is_empty() {
            new += (words.whole.end - words.whole.start) * WORD - self.drop_words(&words.whole);
            self.full.insert(words.whole, ());
        }
        new
    }

    /// Removes all of `pages`; how many were there.
    pub fn remove_range(&mut self, pages: &Range<u64>) -> u64 {
        let words = Words::of(pages);
        let mut removed = 0;
        for (word, mask) in words.ends.into_iter().flatten() {
            removed += self.remove_bits(word, mask);
        }
        removed + self.drop_words(&words.whole)
    }

    /// Removes all of `pages` and returns those that were there, as ascending runs.
    pub fn take_range(&mut self, pages: &Range<u64>) -> Vec<Range<u64>> {
        let runs = self.runs(pages);
        if !runs.is_empty() {
            self.remove_range(pages);
        }
        runs
    }

    /// Those of `pages` that are in the set, as ascending runs.
    #[must_use]
    pub fn runs(&self, pages: &Range<u64>) -> Vec<Range<u64>> {
        if pages.is_empty() {
            return Vec::new();
        }
        let words = pages.start / WORD..(pages.end - 1) / WORD + 1;
        let mut runs: Vec<Range<u64>> = self
            .full
            .overlapping(words.clone())
            .map(|(run, ())| run.start * WORD..run.end.saturating_mul(WORD))
            .collect();
        for (&word, &bits) in self.words.range(words) {
            let mut bits = bits;
            let mut at = word * WORD;
            while bits != 0 {
                let zeros = u64::from(bits.trailing_zeros());
                let ones = u64::from((bits >> zeros).trailing_ones());
                runs.push(at + zeros..at + zeros + ones);
                at += zeros + ones;
                bits = bits.checked_shr((zeros + ones) as u32).unwrap_or(0);
            }
        }
        runs.sort_unstable_by_key(|run| run.start);
        let mut joined: Vec<Range<u64>> = Vec::with_capacity(runs.len());
        for run in runs {
            let run = run.start.max(pages.start)..run.end.min(pages.end);
            match joined.last_mut() {
                _ if run.is_empty() => {}
                Some(last) if last.end == run.start => last.end = run.end,
                _ => joined.push(run),
            }
        }
        joined
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn bits(&self, word: u64) -> u64 {
        if self.full.get(word).is_some() {
            return u64::MAX;
        }
        self.words.get(&word).copied().unwrap_or(0)
    }

    fn insert_bits(&mut self, word: u64, mask: u64) -> u64 {
        if self.full.get(word).is_some() {
            return 0;
        }
        let bits = self.words.entry(word).or_default();
        let new = mask & !*bits;
        *bits |= mask;
        u64::from(new.count_ones())
    }

    fn remove_bits(&mut self, word: u64, mask: u64) -> u64 {
        if !self.full.remove(word..word + 1).is_empty() {
            self.words.insert(word, !mask);
            return u64::from(mask.count_ones());
        }
        let Some(bits) = self.words.get_mut(&word) else {
            return 0;
        };
        let removed = *bits & mask;
        *bits &= !mask;
        if *bits == 0 {
            self.words.remove(&word);
        }
        u64::from(removed.count_ones())
    }

    /// Empties whole words; how many pages were there.
    fn drop_words(&mut self, words: &Range<u64>) -> u64 {
        if words.is_empty() {
            return 0;
        }
        let mut dropped = 0;
        for (run, ()) in self.full.remove(words.clone()) {
            dropped += (run.end - run.start) * WORD;
        }
        while let Some((&word, &bits)) = self.words.range(words.clone()).next() {
            dropped += u64::from(bits.count_ones());
            self.words.remove(&word);
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many of these pages are in the set.
    fn count(set: &PageSet, pages: &Range<u64>) -> u64 {
        let runs = set.runs(pages);
        runs.iter().map(|run| run.end - run.start).sum()
    }

    #[test]
    fn a_populated_terabyte_costs_no_words() {
        let mut set = PageSet::default();
        assert_eq!(set.insert_range(&(3..1 << 35)), (1 << 35) - 3);
        assert_eq!(set.words.len(), 1);
        assert_eq!(set.remove_range(&(1 << 20..1 << 35)), (1 << 35) - (1 << 20));
        assert_eq!(count(&set, &(0..u64::MAX)), (1 << 20) - 3);
    }

    const PAGES: usize = 400;

    proptest! {
        #[test]
        fn the_set_is_an_array_of_bits(
            steps in proptest::collection::vec((0..4u8, 0..PAGES, 0..PAGES), 1..60)
        ) {
            let mut set = PageSet::default();
            let mut array = [false; PAGES];
            for (kind, a, b) in steps {
                let (a, b) = (a.min(b), a.max(b));
                let pages = a as u64..b as u64;
                let held = array[a..b].iter().filter(|held| **held).count() as u64;
                prop_assert_eq!(count(&set, &pages), held);
                match kind {
                    0 => {
                        prop_assert_eq!(set.insert(a as u64), !array[a]);
                        array[a] = true;
                    }
                    1 => {
                        prop_assert_eq!(set.insert_range(&pages), (b - a) as u64 - held);
                        array[a..b].fill(true);
                    }
                    2 => {
                        prop_assert_eq!(set.remove_range(&pages), held);
                        array[a..b].fill(false);
                    }
                    _ => {
                        let runs = set.take_range(&pages);
                        prop_assert_eq!(runs.iter().map(|r| r.end - r.start).sum::<u64>(), held);
                        for run in &runs {
                            prop_assert!(array[run.start as usize..run.end as usize].iter().all(|h| *h));
                        }
                        array[a..b].fill(false);
                    }
                }
                for (page, held) in array.iter().enumerate() {
                    prop_assert_eq!(set.contains(page as u64), *held);
                }
            }
        }
    }
}
