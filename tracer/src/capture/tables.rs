//! The tables that the kernel's stack walk reads and the collector writes, in a mapping of the kernel's
//! own memory: no system call to change an entry, no helper call to look one up.
//!
//! A key lies in one bucket, a cache line. The collector is the only writer; a reader that finds a key
//! before and after it has read the value has that key's value. Where a bucket is full, a key that was
//! there gives way: its stacks are sent whole once more and are learned anew.

use std::{
    os::fd::AsFd,
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Context as _, Result};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use tracer_common::stack::{Bucket, bucket_of};

/// Words of a bucket.
const WORDS: usize = size_of::<Bucket>() / size_of::<u64>();

/// A table with an entry of `ENTRY` words: a key, and a value if it is 2.
pub(crate) struct Table<const ENTRY: usize> {
    memory: NonNull<AtomicU64>,
    buckets: u32,
    /// Which entry gives way next.
    next: usize,
}

// SAFETY: the mapping is this value's own, and its words are atomic.
unsafe impl<const ENTRY: usize> Send for Table<ENTRY> {}

impl<const ENTRY: usize> Table<ENTRY> {
    /// Maps an array map of so many [`Bucket`]s that was made with `BPF_F_MMAPABLE`.
    ///
    /// # Errors
    /// What the kernel says.
    pub(crate) fn map(map: impl AsFd, buckets: u32) -> Result<Self> {
        // SAFETY: a new mapping, of a length that is not 0.
        let memory = unsafe {
            mmap(
                std::ptr::null_mut(),
                Self::length(buckets),
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                map,
                0,
            )
        }
        .context("cannot map a table of the eBPF programs")?;
        Ok(Self {
            memory: NonNull::new(memory.cast()).context("a table was mapped at 0")?,
            buckets,
            next: 0,
        })
    }

    const fn length(buckets: u32) -> usize {
        buckets as usize * size_of::<Bucket>()
    }

    /// Bytes of kernel memory.
    #[must_use]
    pub(crate) fn memory(&self) -> usize {
        Self::length(self.buckets)
    }

    /// Puts a key with its value there (of no meaning where entries have none). 0 is no key. Says whether
    /// the table holds one more.
    pub(crate) fn insert(&mut self, key: u64, value: u64) -> bool {
        let bucket = self.bucket(key);
        let at = |wanted| {
            let found = |entry: &&[AtomicU64]| entry[0].load(Ordering::Relaxed) == wanted;
            bucket.chunks_exact(ENTRY).find(found)
        };
        let entry = at(key).or_else(|| at(0)).unwrap_or_else(|| {
            self.next += 1;
            &bucket[self.next * ENTRY % WORDS..][..ENTRY]
        });
        let more = entry[0].load(Ordering::Relaxed) == 0;
        if let Some(word) = entry.get(1) {
            entry[0].store(0, Ordering::SeqCst);
            word.store(value, Ordering::SeqCst);
        }
        entry[0].store(key, Ordering::SeqCst);
        more
    }

    /// Takes a key away; says whether it was there.
    pub(crate) fn remove(&mut self, key: u64) -> bool {
        let mut entries = self.bucket(key).chunks_exact(ENTRY);
        let entry = entries.find(|entry| entry[0].load(Ordering::Relaxed) == key && key != 0);
        if let Some(entry) = entry {
            entry[0].store(0, Ordering::SeqCst);
        }
        entry.is_some()
    }

    /// The words of a key's bucket. (Not bound to `self`: they live as long as it does.)
    fn bucket<'a>(&self, key: u64) -> &'a [AtomicU64] {
        let at = bucket_of(key, self.buckets) as usize * WORDS;
        // SAFETY: within the mapping, which is page-aligned; the kernel reads the words only as such.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().add(at), WORDS) }
    }
}

impl<const ENTRY: usize> Drop for Table<ENTRY> {
    fn drop(&mut self) {
        // SAFETY: mapped in `map`, and nothing borrows from it any more.
        let unmapped = unsafe { munmap(self.memory.as_ptr().cast(), Self::length(self.buckets)) };
        if let Err(error) = unmapped {
            log::debug!("cannot unmap a table: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key in bucket 0 of every table.
    const fn key(number: u64) -> u64 {
        number
    }

    fn table<const ENTRY: usize>() -> Table<ENTRY> {
        let file = tempfile::tempfile().unwrap();
        file.set_len(4096).unwrap();
        Table::map(&file, 64).unwrap()
    }

    fn value(table: &Table<2>, key: u64) -> Option<u64> {
        let mut entries = table.bucket(key).chunks_exact(2);
        let found = entries.find(|entry| entry[0].load(Ordering::SeqCst) == key)?;
        Some(found[1].load(Ordering::SeqCst))
    }

    #[test]
    fn what_was_put_there_is_there_until_it_is_taken_away() {
        let mut rules = table::<2>();
        assert!(rules.insert(key(1), 10));
        assert!(rules.insert(key(2), 20));
        assert!(!rules.insert(key(1), 11));
        assert_eq!(value(&rules, key(1)), Some(11));
        assert!(rules.remove(key(1)));
        assert!(!rules.remove(key(1)));
        assert_eq!(value(&rules, key(1)), None);
        assert_eq!(value(&rules, key(2)), Some(20));
    }

    #[test]
    fn in_a_full_bucket_an_older_key_gives_way() {
        let mut rules = table::<2>();
        let more: Vec<_> = (1..=5)
            .map(|number| rules.insert(key(number), number * 10))
            .collect();
        assert_eq!(more, [true, true, true, true, false]);
        assert_eq!(value(&rules, key(5)), Some(50));
        let mut hashes = table::<1>();
        assert_eq!(
            (1..=9)
                .filter(|number| hashes.insert(key(*number), 0))
                .count(),
            8
        );
    }
}
