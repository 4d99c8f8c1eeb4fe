//! What of a report is shown, and in which order.

use crate::analysis::summary::{Process, Site, Trend};

/// What is shown. The default: what matters, by size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Sites below this are summed up, bytes reserved (or released); `None`: by the process's size.
    pub min_size_bytes: Option<u64>,
    /// Nothing is summed up: every site, every process.
    pub all: bool,
    /// The order of the sites.
    pub sort: Sort,
    /// What a line of the table is.
    pub by: By,
}

/// The order of the sites, largest or oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Bytes alive at the end.
    #[default]
    Reserved,
    /// Bytes touched.
    Touched,
    /// Bytes resident.
    Resident,
    /// Calls.
    Calls,
    /// Time of the first call.
    Age,
}

/// What a line of the table is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// A call site.
    #[default]
    Site,
    /// All sites of a thread's name.
    Thread,
    /// All sites of the module (or script) whose code asked.
    Module,
}

/// Lines that a table has at most if nobody asked for more.
const ROWS: usize = 16;
/// A growing site of this size is shown however small it is beside the others, bytes.
const GROWING: u64 = 1 << 20;

/// Some sites to show, and what the others add up to.
#[derive(Clone, Debug, Default)]
pub struct Chosen<'a> {
    /// In the order asked for.
    pub shown: Vec<&'a Site>,
    /// How many are not shown.
    pub hidden: u64,
    /// Their bytes.
    pub hidden_bytes: u64,
}

impl Selection {
    /// Sites made by the process, of which something lives.
    #[must_use]
    pub fn never_released<'a>(&self, process: &'a Process) -> Chosen<'a> {
        let sites = process.sites.iter();
        let sites: Vec<&Site> = sites
            .filter(|site| !site.pre_existing && site.reserved_bytes > 0)
            .collect();
        self.choose(sites, |site| site.reserved_bytes)
    }

    /// Sites made by the process, of which nothing lives.
    #[must_use]
    pub fn released<'a>(&self, process: &'a Process) -> Chosen<'a> {
        let sites = process.sites.iter();
        let mut sites: Vec<&Site> = sites
            .filter(|site| !site.pre_existing && site.reserved_bytes == 0)
            .filter(|site| site.calls > 0 || site.released_bytes > 0)
            .collect();
        sites.sort_by_key(|site| std::cmp::Reverse(site.released_bytes));
        self.choose(sites, |site| site.released_bytes)
    }

    fn choose<'a>(&self, mut sites: Vec<&'a Site>, size: impl Fn(&Site) -> u64) -> Chosen<'a> {
        let total: u64 = sites.iter().map(|site| size(site)).sum();
        let (least, rows) = match self.min_size_bytes {
            _ if self.all => (0, usize::MAX),
            Some(least) => (least, usize::MAX),
            None => ((total / 500).max(64 << 10), ROWS),
        };
        let mut chosen = Chosen::default();
        // By size first: what is hidden is the smallest, whatever order is asked for.
        sites.sort_by_key(|site| std::cmp::Reverse(size(site)));
        for (rank, site) in sites.into_iter().enumerate() {
            let bytes = size(site);
            let grows = site.trend == Trend::Growing && bytes >= GROWING;
            if (bytes >= least && rank < rows) || (grows && self.min_size_bytes.is_none()) {
                chosen.shown.push(site);
            } else {
                chosen.hidden += 1;
                chosen.hidden_bytes += bytes;
            }
        }
        chosen.shown.sort_by(|a, b| match self.sort {
            Sort::Reserved => size(b).cmp(&size(a)),
            Sort::Touched => b.touched_bytes.cmp(&a.touched_bytes),
            Sort::Resident => b.resident_bytes.cmp(&a.resident_bytes),
            Sort::Calls => b.calls.cmp(&a.calls),
            Sort::Age => a.first_ns.cmp(&b.first_ns),
        });
        chosen
    }
}
