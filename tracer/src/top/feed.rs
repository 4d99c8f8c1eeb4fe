//! From the collector to the view: the collector leaves what is newest, and never waits.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::capture::host::own_usage;
use tracer_analysis::book::Book;
use tracer_analysis::{
    Progress,
    summary::{Report, TracerCost},
};

/// Between two snapshots, at the least.
const PAUSE: Duration = Duration::from_millis(500);
/// Snapshots may take this share of the collector's time.
const SHARE: u32 = 40;

/// How things stand, and what the tracer itself has cost so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Of the traced processes.
    pub progress: Progress,
    /// Since the trace began.
    pub elapsed: Duration,
    /// The tracer's own CPU time, all threads, ns.
    pub cpu_ns: u64,
    /// The most memory it had resident, bytes.
    pub peak_bytes: u64,
}

/// What has come since it was last asked.
#[derive(Debug, Default)]
pub struct News {
    /// How things stand.
    pub now: Option<Now>,
    /// The newest snapshot.
    pub snapshot: Option<Arc<Report>>,
    /// Nothing more will come: the trace is over, and the snapshot is its report.
    pub over: bool,
    /// The view is to end.
    pub quit: bool,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Feed {
    news: Arc<Mutex<News>>,
}

impl Feed {
    /// Takes what has come.
    #[must_use]
    pub fn take(&self) -> News {
        let mut news = self.lock();
        let (over, quit) = (news.over, news.quit);
        let taken = std::mem::take(&mut *news);
        (news.over, news.quit) = (over, quit);
        taken
    }

    /// The trace is over, and this is its report.
    pub fn end(&self, report: Arc<Report>) {
        let mut news = self.lock();
        news.snapshot = Some(report);
        news.over = true;
    }

    /// Asks the view to end.
    pub fn quit(&self) {
        self.lock().quit = true;
    }

    /// Held by each side only to move a pointer in or out.
    fn lock(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What snapshots have cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshots {
    /// How many were made.
    pub count: u64,
    /// The collector's time that they took.
    pub took: Duration,
    /// Of this, the longest.
    pub longest: Duration,
}

/// The collector's side.
#[derive(Debug)]
pub struct Feeder {
    feed: Feed,
    due: Instant,
    last: Option<Arc<Report>>,
    /// What they have cost so far.
    pub snapshots: Snapshots,
}

impl Feeder {
    /// Feeds `feed`.
    #[must_use]
    pub fn new(feed: Feed) -> Self {
        Self {
            feed,
            due: Instant::now(),
            last: None,
            snapshots: Snapshots::default(),
        }
    }

    /// To be called a few times a second. A snapshot is made if the last one was taken, and if that does
    /// not cost too much.
    pub fn look(&mut self, book: &Book, elapsed: Duration) {
        let usage = own_usage();
        let now = Now {
            progress: book.progress(),
            elapsed,
            cpu_ns: usage.cpu_ns,
            peak_bytes: usage.peak_bytes,
        };
        let asked = {
            let mut news = self.feed.lock();
            news.now = Some(now);
            news.snapshot.is_none()
        };
        let began = Instant::now();
        if !asked || began < self.due {
            return;
        }
        let mut report = book.report_after(self.last.as_deref());
        report.tracer = TracerCost {
            cpu_ns: usage.cpu_ns,
            peak_bytes: usage.peak_bytes,
            stacks: None,
        };
        let took = began.elapsed();
        self.due = Instant::now() + (took * SHARE).max(PAUSE);
        self.snapshots.count += 1;
        self.snapshots.took += took;
        self.snapshots.longest = self.snapshots.longest.max(took);
        let report = Arc::new(report);
        self.last = Some(report.clone());
        self.feed.lock().snapshot = Some(report);
    }
}
