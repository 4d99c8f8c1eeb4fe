//! `--verify`: when the kernel's maps are read again, to be compared with the ledger range by range.
//!
//! Reading `/proc/PID/maps` keeps the target from changing its map for a moment (some 0.5 µs a mapping;
//! `smaps`, which walks the page tables, would take a thousand times that), so readings take a small
//! share of the time however often they are asked for.

use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior, interval};

/// Readings take at most one part in so many of the time.
const SHARE: u32 = 20;

pub(crate) struct Verification {
    /// `None`: never.
    every: Option<Interval>,
    not_before: Instant,
}

impl Verification {
    /// Every so often, or never; needs a tokio runtime.
    #[must_use]
    pub(crate) fn new(every: Option<Duration>) -> Self {
        let every = every.map(|every| {
            let mut interval = interval(every.max(Duration::from_millis(1)));
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        });
        Self {
            every,
            not_before: Instant::now(),
        }
    }

    /// Waits until the maps are to be read; for ever if they never are.
    pub(crate) async fn due(&mut self) {
        let Some(every) = &mut self.every else {
            return std::future::pending().await;
        };
        loop {
            every.tick().await;
            if Instant::now() >= self.not_before {
                return;
            }
        }
    }

    /// Readings took so long.
    pub(crate) fn took(&mut self, time: Duration) {
        self.not_before = Instant::now() + time * SHARE;
    }
}
