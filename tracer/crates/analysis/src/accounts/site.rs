//! The account of one call site within one process: kept from changes, never by a rescan.

use crate::accounts::curve::Curve;
use crate::accounts::distribution::Distribution;
use crate::accounts::files::SiteFiles;
use crate::accounts::threads::NameId;
use crate::accounts::tide::WorkingLife;
use crate::accounts::time::TraceTime;
use crate::accounts::touchers::Touchers;
use crate::accounts::windowed::{Place, Windowed};
use tracer_ledger::event::StackId;
use tracer_ledger::ledger::change::{Difference, Origin, ReservationId};

/// What a process's reservations are accounted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SiteKey {
    /// Made by a traced call with this stack.
    Called(StackId),
    /// Got at fork; the parent had made it with this stack.
    Inherited(StackId),
    /// There before tracing, or made by the kernel: grouped by name in the report, when the names are
    /// known.
    PreExisting(ReservationId),
    /// Growth that no traced call explains.
    Unseen(ReservationId),
}

/// Live bytes at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiveBytes {
    /// Mapped.
    pub reserved: u64,
    /// Accessible.
    pub accessible: u64,
    /// Touched.
    pub touched: u64,
}

impl LiveBytes {
    fn of(figures: Difference) -> Self {
        Self {
            reserved: unsigned(figures.reserved),
            accessible: unsigned(figures.accessible),
            touched: unsigned(figures.touched),
        }
    }
}

/// Points kept of a site's course: in each quarter so many that its peaks are hardly missed, and few enough
/// for thousands of sites.
pub const HISTORY_POINTS: usize = 96;

/// Different names of calling threads kept for one site. A hostile process could invent any number.
const THREAD_NAMES: usize = 64;

/// The account of one site. Sizes are bytes.
#[derive(Clone, Debug)]
pub struct SiteAccount {
    /// What it accounts for.
    pub key: SiteKey,
    /// Traced calls that reserved.
    pub calls: u64,
    /// Reservations that are alive.
    pub live: u64,
    /// What lives now.
    pub figures: Difference,
    /// What its calls took, whatever became of it.
    pub taken: u64,
    /// Given back so far.
    pub released: u64,
    /// The most that was mapped at any time.
    pub peak: u64,
    /// First birth.
    pub first: TraceTime,
    /// Last birth.
    pub last: TraceTime,
    /// By what the first came to be; `None` before that.
    pub origin: Option<Origin>,
    /// Who called, in the order of their appearance.
    pub threads: Vec<NameId>,
    /// Of those released that were born in the trace.
    pub lifetimes: Distribution,
    /// Sizes as they were made, bytes.
    pub sizes: Distribution,
    /// Who touched it first, by the faults whose stacks were taken.
    pub touchers: Touchers,
    /// What came and went inside the window.
    pub window: Windowed,
    /// The course.
    pub history: Curve<LiveBytes, HISTORY_POINTS>,
    /// Files that it maps.
    pub files: SiteFiles,
    /// The event that last called: one call that makes two reservations is one call.
    last_event: u64,
    /// How it stood at the high tide, if it has changed since.
    at_tide: AtTide,
}

/// How an account stood at a high tide.
#[derive(Clone, Copy, Debug, Default)]
struct AtTide {
    /// Which one: see [`crate::accounts::tide::Tide::epoch`].
    epoch: u64,
    /// How it stood.
    standing: Stood,
    /// What was touched at the tide itself.
    touched: u64,
}

/// How an account stood at a moment. Sizes are bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stood {
    /// See [`SiteAccount::calls`].
    pub calls: u64,
    /// See [`SiteAccount::live`].
    pub live: u64,
    /// What lived; of it was touched what came to be touched until its release.
    pub figures: Difference,
    /// See [`SiteAccount::released`].
    pub released: u64,
    /// Reservations given back entirely, of those born in the trace.
    pub ended: u64,
    /// See [`SiteAccount::last`].
    pub last: TraceTime,
    /// See [`SiteAccount::window`].
    pub window: Windowed,
}

impl SiteAccount {
    /// An account without any entry.
    #[must_use]
    pub fn new(key: SiteKey, time: TraceTime) -> Self {
        Self {
            key,
            calls: 0,
            live: 0,
            figures: Difference::default(),
            taken: 0,
            released: 0,
            peak: 0,
            first: time,
            last: time,
            origin: None,
            threads: Vec::new(),
            lifetimes: Distribution::default(),
            sizes: Distribution::default(),
            touchers: Touchers::default(),
            window: Windowed::default(),
            history: Curve::default(),
            files: SiteFiles::default(),
            last_event: 0,
            at_tide: AtTide::default(),
        }
    }

    /// It is about to change, and that is no high tide but after the one of this epoch.
    pub fn ebbs(&mut self, epoch: u64) {
        if self.at_tide.epoch != epoch {
            self.at_tide = AtTide {
                epoch,
                standing: self.standing(),
                touched: unsigned(self.figures.touched),
            };
        }
    }

    fn standing(&self) -> Stood {
        Stood {
            calls: self.calls,
            live: self.live,
            figures: self.figures,
            released: self.released,
            ended: self.lifetimes.count(),
            last: self.last,
            window: self.window,
        }
    }

    /// How it stood when its process's working life ended; `None`: as it stands.
    #[must_use]
    pub fn stood(&self, life: Option<&WorkingLife>) -> Stood {
        match life.and_then(|life| life.tide) {
            Some(tide) if tide.epoch == self.at_tide.epoch => self.at_tide.standing,
            _ => self.standing(),
        }
    }

    /// Its course until then: what was reserved at the tide is held as long as the process works.
    #[must_use]
    pub fn course(&self, life: Option<&WorkingLife>) -> Vec<(TraceTime, LiveBytes)> {
        let points = self.history.points();
        let tide = life.and_then(|life| life.tide);
        let Some((life, tide)) = life.zip(tide.filter(|tide| tide.epoch == self.at_tide.epoch))
        else {
            return points.to_vec();
        };
        let stood = LiveBytes::of(self.at_tide.standing.figures);
        let before = points.partition_point(|point| point.0 < tide.time);
        let mut course = points[..before].to_vec();
        let mut live = LiveBytes {
            touched: self.at_tide.touched,
            ..stood
        };
        course.push((tide.time, live));
        for &(time, point) in &points[before..] {
            if time > tide.time && time <= life.until && point.touched > live.touched {
                live.touched = point.touched.min(stood.touched);
                course.push((time, live));
            }
        }
        if live.touched < stood.touched {
            course.push((life.until.max(tide.time), stood));
        }
        course
    }

    /// A reservation came to be, by the `event`-th event of the trace (from 1 on).
    pub fn born(
        &mut self,
        time: TraceTime,
        event: u64,
        figures: Difference,
        thread: Option<NameId>,
    ) {
        if matches!(self.key, SiteKey::Called(_)) && self.last_event != event {
            self.last_event = event;
            self.calls += 1;
        }
        if let Some(thread) = thread
            && self.threads.len() < THREAD_NAMES
            && !self.threads.contains(&thread)
        {
            self.threads.push(thread);
        }
        self.live += 1;
        self.taken += unsigned(figures.reserved);
        self.sizes.record(unsigned(figures.reserved));
        self.last = self.last.max(time);
        self.add(time, figures);
    }

    /// A living reservation's figures changed. (An `mremap` that moves it changes none: the ledger
    /// keeps what is under way with its owner.)
    pub fn changed(&mut self, time: TraceTime, difference: Difference, place: Place) {
        self.account_released(difference.reserved, place);
        self.add(time, difference);
    }

    /// A reservation's last byte was given back. `age`, ns: `None` where its birth was not seen.
    pub fn died(
        &mut self,
        time: TraceTime,
        age: Option<u64>,
        difference: Difference,
        place: Place,
    ) {
        self.live = self.live.saturating_sub(1);
        if let Some(age) = age {
            self.lifetimes.record(age);
        }
        self.account_released(difference.reserved, place);
        self.add(time, difference);
    }

    fn account_released(&mut self, reserved: i64, place: Place) {
        self.window.add(reserved, place);
        if reserved < 0 {
            self.released += reserved.unsigned_abs();
        }
    }

    fn add(&mut self, time: TraceTime, difference: Difference) {
        add(&mut self.figures, difference);
        // What came to be touched before it was released was touched.
        let stood = &mut self.at_tide.standing.figures;
        let touched = self.figures.touched.min(stood.reserved);
        stood.touched = stood.touched.max(touched);
        let live = LiveBytes::of(self.figures);
        self.peak = self.peak.max(live.reserved);
        self.history.record(time, live);
    }
}

/// Adds one set of figures to another.
pub fn add(sum: &mut Difference, difference: Difference) {
    sum.reserved += difference.reserved;
    sum.accessible += difference.accessible;
    sum.charged += difference.charged;
    sum.touched += difference.touched;
}

/// A sum of differences as a size: never below 0 while the ledger is right.
#[must_use]
pub fn unsigned(sum: i64) -> u64 {
    u64::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{SiteAccount, SiteKey};
    use crate::accounts::time::TraceTime;
    use crate::accounts::windowed::Place;
    use tracer_ledger::event::StackId;
    use tracer_ledger::ledger::change::Difference;

    fn reserved(bytes: i64) -> Difference {
        Difference {
            reserved: bytes,
            ..Difference::default()
        }
    }

    fn account() -> SiteAccount {
        let mut account = SiteAccount::new(SiteKey::Called(StackId(1)), TraceTime(0));
        account.born(TraceTime(0), 1, reserved(100), None);
        account
    }

    #[test]
    fn a_call_that_makes_two_reservations_is_one_call() {
        let mut account = account();
        account.born(TraceTime(0), 1, reserved(10), None);
        account.born(TraceTime(5), 2, reserved(10), None);
        assert_eq!((account.calls, account.live, account.peak), (2, 3, 120));
    }

    #[test]
    fn a_trim_is_given_back_and_the_reservation_lives() {
        let mut account = account();
        account.changed(TraceTime(1), reserved(-30), Place::Outside);
        assert_eq!((account.released, account.live), (30, 1));
        account.died(TraceTime(9), Some(9), reserved(-70), Place::Outside);
        assert_eq!((account.released, account.live), (100, 0));
        assert_eq!(account.lifetimes.count(), 1);
        assert_eq!(account.peak, 100);
    }
}
