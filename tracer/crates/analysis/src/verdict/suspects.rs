//! What may be a leak: a call site, or all sites of one pool, and how each goes on.

use super::pools::Pool;
use crate::model::summary::{Site, Trend};
use crate::naming::folding::Folded;

/// A growing site below this is not yet a suspect, bytes.
const LEAK: u64 = 4 << 20;
/// A growing site below this is not worth watching, bytes.
const WATCH: u64 = 16 << 20;
/// Growing address space alone is worth watching from here on, bytes.
const WATCH_RESERVED: u64 = 1 << 30;
/// Of the 65,530 mappings that a process may have by default, so many are an eighth.
const MANY_MAPPINGS: u64 = 8_192;
/// Calls below which nothing is called a leak.
const ENOUGH_CALLS: u64 = 8;

/// One site, and what the model does not say of it.
#[derive(Clone, Copy, Debug)]
pub struct SiteFacts<'a> {
    /// The site.
    pub site: &'a Site,
    /// Its stack, folded to what matters.
    pub called: &'a Folded,
    /// More and more of it is touched, until the end, and somebody followed that.
    pub touched_steadily: bool,
    /// More and more of it is accessible, until the end.
    pub accessible_steadily: bool,
    /// More and more of it is reserved, until the end.
    pub reserved_steadily: bool,
    /// It grows at a rate, by the clock or by its process's work.
    pub has_rate: bool,
    /// If it grows: when its process worked last, ns since the trace began; `None`: it does still, or nobody knows.
    pub idle_since: Option<u64>,
    /// It grew until nothing was heard of its process any more: whether it would go on is not known.
    pub may_grow: bool,
    /// Of what was touched, pages of objects that it maps once more: in no figure of the site, bytes.
    pub touched_again: u64,
    /// Its pages are those of a file: the kernel can take them back, but for those that are charged.
    pub is_of_files: bool,
    /// The pool that it takes memory for.
    pub pool: Option<&'a Pool>,
    /// All sites with which it exchanges memory, as one: what it takes another may have given back.
    pub exchange: Option<&'a Pool>,
}

impl SiteFacts<'_> {
    /// Made since the process was first seen.
    pub fn grown(&self) -> bool {
        !self.site.pre_existing && self.site.reserved_bytes > 0
    }

    /// Touched, it is still nobody's memory.
    pub fn is_page_cache(&self) -> bool {
        self.is_of_files && self.site.charged_bytes == 0
    }

    /// When it last rose above all that it was before, by more than a 200th, ns; without a course: its last call.
    fn rose(&self) -> u64 {
        const NOTHING: u64 = 200;
        let (mut peak, mut at) = (0u64, None);
        for point in &self.site.timeline {
            if point.reserved_bytes > peak + peak / NOTHING {
                (peak, at) = (point.reserved_bytes, Some(point.t_ns));
            }
        }
        at.unwrap_or(self.site.last_ns)
    }

    /// It grows still, and so does the pool that it is of.
    pub fn grows(&self) -> bool {
        self.site.trend == Trend::Growing
            && self.pool.is_none_or(Pool::is_growing)
            && self.exchange.is_none_or(Pool::is_growing)
    }
}

/// What is judged as one: a site, or all sites of a pool.
#[derive(Debug)]
pub struct Suspect<'a> {
    /// At least one.
    pub sites: Vec<&'a SiteFacts<'a>>,
    pool: Option<&'a Pool>,
}

impl<'a> Suspect<'a> {
    /// Each once, in the order of their largest sites.
    pub fn all(grown: &[&'a SiteFacts<'a>]) -> Vec<Self> {
        let mut suspects: Vec<Self> = Vec::new();
        for &one in grown {
            let same = |other: &&mut Self| {
                let pools = other.pool.zip(one.pool);
                pools.is_some_and(|(pool, of)| std::ptr::eq(pool, of))
            };
            match suspects.iter_mut().find(same) {
                Some(suspect) => suspect.sites.push(one),
                None => suspects.push(Self {
                    sites: vec![one],
                    pool: one.pool,
                }),
            }
        }
        suspects
    }

    fn sum(&self) -> Sum {
        Sum::of(self.sites.iter().copied())
    }

    /// What it takes is not what another has given back.
    fn is_more(&self) -> bool {
        let mut exchanges = self.sites.iter().map(|one| one.exchange);
        exchanges.any(|one| one.is_none_or(Pool::is_growing))
    }

    fn grows(&self) -> bool {
        let single = || {
            self.sites
                .iter()
                .any(|one| one.site.trend == Trend::Growing)
        };
        let grows = self
            .pool
            .map_or_else(single, |pool| pool.trend == Trend::Growing);
        grows && self.is_more()
    }

    fn touched_steadily(&self) -> bool {
        let single = || {
            self.sites
                .iter()
                .any(|one| one.touched_steadily && !one.is_page_cache())
        };
        let touched = self.pool.map_or_else(single, |pool| pool.touched_steadily);
        touched && self.is_more()
    }

    /// More and more is made accessible and touched: the program asks for it, and does not only come to use what
    /// it asked for long ago.
    fn commits_steadily(&self) -> bool {
        let single = || self.sites.iter().any(|one| one.accessible_steadily);
        let accessible = self
            .pool
            .map_or_else(single, |pool| pool.accessible_steadily);
        accessible && self.touched_steadily()
    }

    /// It grows, or more and more of it comes to be memory.
    pub fn goes_on(&self, small: u64) -> bool {
        let sum = self.sum();
        (self.grows() && sum.reserved > small)
            || self.may_grow(small)
            || (self.touched_steadily() && sum.touched.is_some_and(|touched| touched >= LEAK))
    }

    /// So much of it grew until nothing was heard of its process any more.
    pub fn may_grow(&self, small: u64) -> bool {
        self.sites.iter().any(|one| one.may_grow) && self.sum().reserved > small
    }

    /// Calls, and the reservations given back.
    fn calls(&self) -> (u64, u64) {
        match self.pool {
            Some(pool) => (pool.calls, pool.released),
            None => self.sites.iter().fold((0, 0), |(calls, given_back), one| {
                let site = one.site;
                let more = site.calls.saturating_sub(site.live);
                (calls + site.calls, given_back + more)
            }),
        }
    }

    /// Memory, address space or mappings: more all the time, and hardly any given back.
    pub fn leaks(&self) -> bool {
        self.leaks_memory() || self.piles_up()
    }

    /// One more after the other is reserved, and none is given back: also where a single one is harmless. (A pool
    /// takes memory for others: what becomes of it is theirs to say.)
    fn piles_up(&self) -> bool {
        let sum = self.sum();
        let (calls, given_back) = self.calls();
        let steadily = |one: &&SiteFacts<'_>| one.reserved_steadily && one.has_rate;
        // Each mapping of the same pages costs page tables, and one of the mappings that there may be.
        let again: u64 = self.sites.iter().map(|one| one.touched_again).sum();
        let memory = (sum.touched.unwrap_or(0) + again).max(sum.charged);
        self.pool.is_none()
            && self.grows()
            && self.sites.iter().any(steadily)
            && calls >= ENOUGH_CALLS
            && given_back <= calls / 20
            && (sum.reserved >= WATCH_RESERVED || memory >= LEAK || sum.live >= MANY_MAPPINGS)
    }

    /// Private memory, touched, kept, more of it all the time.
    fn leaks_memory(&self) -> bool {
        let sum = self.sum();
        let (calls, given_back) = self.calls();
        self.grows()
            && self.touched_steadily()
            && calls >= ENOUGH_CALLS
            && given_back <= calls / 4
            && sum.charged > 0
            && sum
                .touched
                .is_some_and(|touched| touched >= LEAK && touched >= sum.accessible / 2)
    }

    /// Grows until the end, by amounts that matter.
    pub fn worth_watching(&self) -> bool {
        let sum = self.sum();
        let memory = sum.touched.unwrap_or(0).max(sum.charged);
        // What was asked for once has a limit, and coming to use it is no growth yet.
        let touched = sum.touched.unwrap_or(0);
        let touched_steadily = (self.touched_steadily() && touched >= 4 * WATCH)
            || (self.commits_steadily() && touched >= WATCH);
        let Some(pool) = self.pool else {
            let much = memory >= WATCH || sum.reserved >= WATCH_RESERVED;
            return (self.grows() && much) || touched_steadily;
        };
        // A runtime's heap is large and warms up: what matters is by how much it goes on growing.
        let later = pool.later_growth;
        let much = (memory >= WATCH && later >= WATCH) || later >= WATCH_RESERVED;
        let leaks_under_churn = pool.grows_steadily
            && pool.touched_steadily
            && pool.calls >= ENOUGH_CALLS
            && memory >= LEAK;
        (self.grows() && (much || leaks_under_churn)) || touched_steadily
    }
}

/// Sums over some sites.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// Reservations alive.
    pub live: u64,
    /// Mapped bytes.
    pub reserved: u64,
    /// Accessible bytes.
    pub accessible: u64,
    /// Touched bytes; `None`: not followed.
    pub touched: Option<u64>,
    /// Charged bytes.
    pub charged: u64,
    /// First birth, ns.
    pub first: u64,
    /// Last birth, ns.
    pub last: u64,
    /// When it last rose above all that it was before, ns.
    pub rose: u64,
    /// One of them grows still.
    pub growing: bool,
    /// Since when its process has done nothing that makes it grow, ns since the trace began.
    pub idle_since: Option<u64>,
}

impl Sum {
    /// Of these.
    pub fn of<'a>(sites: impl IntoIterator<Item = &'a SiteFacts<'a>>) -> Self {
        let mut sum = Self {
            touched: Some(0),
            first: u64::MAX,
            ..Self::default()
        };
        for facts in sites {
            let site = facts.site;
            sum.live += site.live;
            sum.reserved += site.reserved_bytes;
            sum.accessible += site.accessible_bytes;
            sum.touched = sum.touched.zip(site.touched_bytes).map(|(a, b)| a + b);
            sum.charged += site.charged_bytes;
            sum.first = sum.first.min(site.first_ns);
            sum.last = sum.last.max(site.last_ns);
            sum.rose = sum.rose.max(facts.rose());
            sum.growing |= facts.grows();
            sum.idle_since = sum.idle_since.max(facts.idle_since);
        }
        sum
    }

    /// What was never accessible cannot have been touched: an upper bound that is always known.
    pub fn touched_at_most(&self) -> u64 {
        self.touched.unwrap_or(self.accessible)
    }

    /// What there is more and more of.
    pub fn is_what(&self) -> &'static str {
        if self.charged > 0 && self.touched_at_most() >= self.accessible / 2 {
            "memory"
        } else if self.charged == 0 && self.touched_at_most() >= self.reserved / 2 {
            "mappings"
        } else {
            "address space"
        }
    }

    /// Next to nothing of it has come to be memory.
    pub fn is_address_space_only(&self) -> bool {
        self.charged == 0 && self.touched_at_most() < self.reserved.div_ceil(100)
    }
}
