//! The ring that the programs write to, drained, with an exact answer to "up to when have we seen
//! everything?".
//!
//! The programs take a record's time after its slot in the ring is reserved. So: read the clock, then
//! the ring's producer position, then drain up to that position. Every record not seen then was
//! reserved later than the clock was read, and is younger than it: no guess, no slack.

use std::{
    os::fd::{AsFd as _, AsRawFd as _},
    time::Duration,
};

use anyhow::{Context as _, Result};
use aya::maps::{MapData, RingBuf};
use bytes::{Bytes, BytesMut};
use rustix::{
    mm::{MapFlags, ProtFlags},
    time::ClockId,
};
use tokio::io::unix::AsyncFd;

use tracer_ledger::event::Nanoseconds;

/// The programs wake the collector only for a lot: it looks by itself so soon after it found something,
/// and later and later while it finds nothing.
const PATIENCE: Duration = Duration::from_millis(2);
/// The latest that a record is found.
const MOST_PATIENCE: Duration = Duration::from_millis(16);

/// The clock of all records: `bpf_ktime_get_ns`.
#[must_use]
pub fn now() -> Nanoseconds {
    let time = rustix::time::clock_gettime(ClockId::Monotonic);
    Nanoseconds(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// What one drain brought.
#[derive(Debug, Default)]
pub struct Drained {
    /// One record each, in the ring's order (which is not that of time).
    pub records: Vec<Bytes>,
    /// Everything older than this has been seen; `None` if a record was still being written.
    pub seen_until: Option<Nanoseconds>,
}

/// The ring, its positions readable.
pub struct Ring {
    ring: AsyncFd<RingBuf<MapData>>,
    positions: Positions,
    buffer: BytesMut,
    /// How long to wait to be woken.
    patience: Duration,
}

impl Ring {
    /// Takes over the ring; needs a tokio runtime.
    pub fn new(ring: RingBuf<MapData>) -> Result<Self> {
        let positions = Positions::map(&ring)?;
        // SAFETY: `RingBuf` owns its descriptor, never changes it, and lives as long as the `AsyncFd`.
        let ring = unsafe { AsyncFd::register(ring) }.context("cannot wait for the ring")?;
        Ok(Self {
            ring,
            positions,
            buffer: BytesMut::new(),
            patience: PATIENCE,
        })
    }

    /// Waits until there may be something to drain.
    pub async fn readable(&mut self) -> Result<()> {
        if let Ok(woken) = tokio::time::timeout(self.patience, self.ring.readable_mut()).await {
            // Cleared before the drain: what comes during it wakes us again.
            woken.context("cannot wait for the ring")?.clear_ready();
        }
        Ok(())
    }

    /// Takes what is there, at most `limit` records.
    pub fn drain(&mut self, limit: usize, into: &mut Drained) {
        into.records.clear();
        let time = now();
        let produced = self.positions.produced();
        let ring = self.ring.get_mut();
        while into.records.len() < limit {
            let Some(item) = ring.next() else { break };
            self.buffer.extend_from_slice(&item);
            drop(item);
            into.records.push(self.buffer.split().freeze());
        }
        self.patience = if into.records.is_empty() {
            (self.patience * 2).min(MOST_PATIENCE)
        } else {
            PATIENCE
        };
        into.seen_until = self.positions.reached(produced).then_some(time);
    }
}

/// The two position pages of a BPF ring buffer (kernel/bpf/ringbuf.c: `consumer_pos` at page 0,
/// `producer_pos` at page 1), mapped read-only beside aya's own mappings.
struct Positions {
    consumer: *const u64,
    producer: *const u64,
    page: usize,
}

impl Positions {
    fn map(ring: &RingBuf<MapData>) -> Result<Self> {
        let page = rustix::param::page_size();
        let map = |offset: u64| {
            // SAFETY: a new mapping of a page that the kernel offers for reading; nothing else is
            // touched.
            unsafe {
                rustix::mm::mmap(
                    std::ptr::null_mut(),
                    page,
                    ProtFlags::READ,
                    MapFlags::SHARED,
                    ring.as_fd(),
                    offset,
                )
            }
            .with_context(|| format!("cannot map the ring (descriptor {})", ring.as_raw_fd()))
        };
        Ok(Self {
            consumer: map(0)?.cast(),
            producer: map(page as u64)?.cast(),
            page,
        })
    }

    fn produced(&self) -> u64 {
        load(self.producer)
    }

    /// Whether everything up to `position` has been consumed.
    fn reached(&self, position: u64) -> bool {
        load(self.consumer) >= position
    }
}

fn load(position: *const u64) -> u64 {
    // SAFETY: a mapped page of this process for as long as `Positions` lives, aligned; the kernel
    // writes it atomically.
    unsafe {
        (*position.cast::<std::sync::atomic::AtomicU64>())
            .load(std::sync::atomic::Ordering::Acquire)
    }
}

impl Drop for Positions {
    fn drop(&mut self) {
        for page in [self.consumer, self.producer] {
            // SAFETY: mapped by `map`, unmapped once.
            let _ = unsafe { rustix::mm::munmap(page.cast_mut().cast(), self.page) };
        }
    }
}

// SAFETY: the pointers are to this value's own read-only mappings.
unsafe impl Send for Positions {}
