//! What some sites add up to.

use tracer_analysis::summary::{Site, Trend};

/// A growing row of this size is shown however small it is beside the others, bytes.
const GROWING: u64 = 1 << 20;

/// Sums over sites; sizes in bytes, times in ns since the trace began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Successful calls that reserved.
    pub calls: u64,
    /// Reservations alive at the end.
    pub live: u64,
    /// Alive at the end.
    pub reserved: u64,
    /// Of these, accessible.
    pub accessible: u64,
    /// Of these, touched; `None`: not known of all of them.
    pub touched: Option<u64>,
    /// Of these, in memory at the last look; `None`: not known of all of them.
    pub resident: Option<u64>,
    /// Given back.
    pub released: u64,
    /// The most alive at a time; of several sites, which peak at different times, no more than this.
    pub peak: u64,
    /// Alive at the end from sites that grow still.
    pub growing: u64,
    /// First call; `u64::MAX` without a site.
    pub first_ns: u64,
    /// Last call.
    pub last_ns: u64,
    /// The least and the greatest of the sites' median lifetimes: the median of all is between them.
    pub median_lifetime: Option<(u64, u64)>,
}

impl Figures {
    /// Sums up.
    #[must_use]
    pub fn of(sites: &[&Site]) -> Self {
        let mut sum = Self {
            calls: 0,
            live: 0,
            reserved: 0,
            accessible: 0,
            touched: Some(0),
            resident: Some(0),
            released: 0,
            peak: 0,
            growing: 0,
            first_ns: u64::MAX,
            last_ns: 0,
            median_lifetime: None,
        };
        for site in sites {
            sum.calls += site.calls;
            sum.live += site.live;
            sum.reserved += site.reserved_bytes;
            sum.accessible += site.accessible_bytes;
            sum.touched = sum.touched.zip(site.touched_bytes).map(|(a, b)| a + b);
            sum.resident = sum.resident.zip(site.resident_bytes).map(|(a, b)| a + b);
            sum.released += site.released_bytes;
            sum.peak += site.peak_bytes;
            if site.trend == Trend::Growing {
                sum.growing += site.reserved_bytes;
            }
            sum.first_ns = sum.first_ns.min(site.first_ns);
            sum.last_ns = sum.last_ns.max(site.last_ns);
            if let Some(lifetimes) = site.lifetime_ns {
                let (least, greatest) = sum
                    .median_lifetime
                    .unwrap_or((lifetimes.p50, lifetimes.p50));
                sum.median_lifetime = Some((least.min(lifetimes.p50), greatest.max(lifetimes.p50)));
            }
        }
        sum
    }

    /// Grows still, by an amount that matters.
    #[must_use]
    pub fn is_growing(&self) -> bool {
        self.growing >= GROWING
    }
}
