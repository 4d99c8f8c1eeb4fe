//! The sentence on top, and its level.
//!
//! Honest before clever: `benign` only where it is clear, `leak` only for memory that is touched,
//! charged, kept, and grows steadily; else `unknown`.

use super::summary::{LedgerCheck, Level, Site, Span, Trend, Verdict};
use super::units::{bytes, bytes_of, counted, moment, percent};

/// Growth below this is not worth a sentence, bytes.
const WORTH_TELLING: u64 = 1 << 20;
/// A growing site below this is not yet a suspect, bytes.
const LEAK: u64 = 4 << 20;
/// A growing site below this is not worth watching, bytes.
const WATCH: u64 = 16 << 20;
/// Growing address space alone is worth watching from here on, bytes.
const WATCH_RESERVED: u64 = 1 << 30;
/// The most sites that the sentence is about.
const NAMED_SITES: usize = 3;

/// What a verdict is found from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Mapped bytes.
    pub virtual_bytes: Span,
    /// Resident bytes, if anybody looked.
    pub resident: Option<Span>,
    /// Traced from the first instruction.
    pub from_start: bool,
    /// Its sites were given up.
    pub condensed: bool,
    /// When it was first seen, ns since the trace began.
    pub began: u64,
    /// When it ended, or the trace, ns since it began.
    pub end: u64,
    /// The ledger against the kernel.
    pub check: LedgerCheck,
    /// Every site, largest first.
    pub sites: &'a [SiteFacts<'a>],
}

/// One site, and what the model does not say of it.
#[derive(Clone, Copy, Debug)]
pub struct SiteFacts<'a> {
    /// The site.
    pub site: &'a Site,
    /// More and more of it is touched, until the end; `None`: not known.
    pub touched_steadily: Option<bool>,
}

impl SiteFacts<'_> {
    /// Made since the process was first seen.
    fn grown(&self) -> bool {
        !self.site.pre_existing && self.site.reserved_bytes > 0
    }

    /// Private memory, touched, kept, more of it all the time.
    fn leaks(&self) -> bool {
        let site = self.site;
        let given_back = site.calls.saturating_sub(site.live);
        self.grown()
            && site.trend == Trend::Growing
            && self.touched_steadily == Some(true)
            && site.calls >= 8
            && given_back <= site.calls / 4
            && site.charged_bytes > 0
            && site
                .touched_bytes
                .is_some_and(|touched| touched >= LEAK && touched >= site.accessible_bytes / 2)
    }

    /// Grows until the end, by amounts that matter.
    fn worth_watching(&self) -> bool {
        let site = self.site;
        let memory = site.touched_bytes.unwrap_or(0).max(site.charged_bytes);
        let growing = site.trend == Trend::Growing;
        self.grown()
            && ((growing && (memory >= WATCH || site.reserved_bytes >= WATCH_RESERVED))
                || (self.touched_steadily == Some(true) && memory >= 4 * WATCH))
    }
}

/// Sums over some sites.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    sites: u64,
    live: u64,
    reserved: u64,
    accessible: u64,
    /// `None`: not followed.
    touched: Option<u64>,
    charged: u64,
    last: u64,
    growing: bool,
}

impl Sum {
    fn of<'a>(sites: impl IntoIterator<Item = &'a SiteFacts<'a>>) -> Self {
        let mut sum = Self {
            touched: Some(0),
            ..Self::default()
        };
        for facts in sites {
            let site = facts.site;
            sum.sites += 1;
            sum.live += site.live;
            sum.reserved += site.reserved_bytes;
            sum.accessible += site.accessible_bytes;
            sum.touched = sum.touched.zip(site.touched_bytes).map(|(a, b)| a + b);
            sum.charged += site.charged_bytes;
            sum.last = sum.last.max(site.last_ns);
            sum.growing |= site.trend == Trend::Growing;
        }
        sum
    }

    /// What was never accessible cannot have been touched: an upper bound that is always known.
    fn touched_at_most(&self) -> u64 {
        self.touched.unwrap_or(self.accessible)
    }

    fn is_address_space_only(&self) -> bool {
        self.charged == 0 && self.touched_at_most() < self.reserved.div_ceil(100)
    }
}

/// The verdict on one process.
#[must_use]
pub fn verdict(facts: &Facts<'_>) -> Verdict {
    let grown: Vec<&SiteFacts<'_>> = facts.sites.iter().filter(|site| site.grown()).collect();
    let leaking: Vec<&SiteFacts<'_>> = grown.iter().copied().filter(|one| one.leaks()).collect();
    let watched: Vec<&SiteFacts<'_>> = grown
        .iter()
        .copied()
        .filter(|one| one.worth_watching() && !one.leaks())
        .collect();
    let subject = subject(&grown);
    let level = if !leaking.is_empty() {
        Level::Leak
    } else if !watched.is_empty() {
        Level::Watch
    } else if is_clear(facts, &grown) {
        Level::Benign
    } else {
        Level::Unknown
    };

    let mut sentences = vec![size_sentence(facts)];
    if facts.condensed {
        sentences
            .push("Its call sites were not kept: too many bigger processes have ended.".into());
        return Verdict {
            text: sentences.join(" "),
            level: Level::Unknown,
        };
    }
    sentences.push(growth_sentence(facts, &subject));
    if !subject.is_empty() && grown_bytes(facts) >= WORTH_TELLING {
        let sum = Sum::of(subject.iter().copied());
        if sum.is_address_space_only() {
            sentences.push("Address space, not memory.".into());
        }
    }
    if !leaking.is_empty() {
        let kept = kept(&leaking);
        sentences.push(format!("A leak of memory: {kept}, and growing steadily."));
    }
    if !watched.is_empty() {
        let kept = kept(&watched);
        sentences.push(format!("To be watched: {kept}, and still growing."));
    }
    Verdict {
        text: sentences.join(" "),
        level,
    }
}

fn grown_bytes(facts: &Facts<'_>) -> u64 {
    let span = facts.virtual_bytes;
    span.end.saturating_sub(span.start)
}

/// The few largest sites that make up most of what grew.
fn subject<'a>(grown: &[&'a SiteFacts<'a>]) -> Vec<&'a SiteFacts<'a>> {
    let total: u64 = grown.iter().map(|one| one.site.reserved_bytes).sum();
    let mut subject = Vec::new();
    let mut covered = 0;
    for one in grown.iter().take(NAMED_SITES) {
        if covered >= total - total / 5 {
            break;
        }
        covered += one.site.reserved_bytes;
        subject.push(*one);
    }
    subject
}

/// Grown by far more than it touches or is charged for, settled, and the figures can be trusted.
fn is_clear(facts: &Facts<'_>, grown: &[&SiteFacts<'_>]) -> bool {
    let total = grown_bytes(facts);
    let sum = Sum::of(grown.iter().copied());
    let settled = grown
        .iter()
        .all(|one| one.site.trend != Trend::Growing || one.site.reserved_bytes <= total / 20);
    let unexplained = facts.check.difference_bytes.unsigned_abs();
    total >= WORTH_TELLING
        && settled
        && sum.touched_at_most() <= total / 5
        && sum.charged <= total / 5
        && facts.check.kernel_known
        && unexplained <= facts.virtual_bytes.end / 100
}

fn size_sentence(facts: &Facts<'_>) -> String {
    let resident = facts.resident.map_or_else(
        || "resident unknown".into(),
        |resident| format!("{} resident", bytes(resident.end)),
    );
    format!("{} virtual, {resident}.", bytes(facts.virtual_bytes.end))
}

fn growth_sentence(facts: &Facts<'_>, subject: &[&SiteFacts<'_>]) -> String {
    let since = if facts.from_start {
        "its first instruction"
    } else {
        "tracing began"
    };
    let span = facts.virtual_bytes;
    let grown = grown_bytes(facts);
    if grown < WORTH_TELLING || subject.is_empty() {
        return if span.end < span.start {
            format!("{} less than when {since}.", bytes(span.start - span.end))
        } else if grown == 0 {
            format!("Not grown since {since}.")
        } else {
            format!("{} grown since {since}.", bytes(grown))
        };
    }
    let sum = Sum::of(subject.iter().copied());
    let how_much = if sum.reserved <= grown {
        format!("{} grown", bytes_of(sum.reserved, grown))
    } else {
        // Something else has shrunk meanwhile.
        format!("{} grown; {}", bytes(grown), bytes(sum.reserved))
    };
    let are = if sum.live == 1 { "is" } else { "are" };
    let course = if sum.growing {
        "still growing".into()
    } else if facts.end.saturating_sub(sum.last) < facts.end.saturating_sub(facts.began) / 5 {
        // Too short a time to say that nothing more will come.
        format!("last grown at {}", moment(sum.last))
    } else {
        format!("settled since {}", moment(sum.last))
    };
    format!(
        "{how_much} {are} {}: never released, {}, {}, {course}.",
        places(&sum),
        touched(&sum),
        charged(&sum)
    )
}

fn places(sum: &Sum) -> String {
    format!(
        "{} from {}",
        counted(sum.live, "reservation", "reservations"),
        counted(sum.sites, "call site", "call sites")
    )
}

fn touched(sum: &Sum) -> String {
    match sum.touched {
        Some(0) => "never touched".into(),
        Some(touched) => format!("{} touched", percent(touched, sum.reserved)),
        None if sum.accessible == 0 => "never accessible".into(),
        None if sum.accessible < sum.reserved / 10 => {
            format!("at most {} touched", percent(sum.accessible, sum.reserved))
        }
        None => "touched unknown".into(),
    }
}

fn charged(sum: &Sum) -> String {
    match sum.charged {
        0 => "nothing charged".into(),
        charged if charged >= sum.reserved => "all of it charged".into(),
        charged => format!("{} charged", bytes(charged)),
    }
}

fn kept(sites: &[&SiteFacts<'_>]) -> String {
    const NAMED: usize = 4;
    let sum = Sum::of(sites.iter().copied());
    let mut ids: Vec<String> = sites
        .iter()
        .take(NAMED)
        .map(|one| one.site.id.to_string())
        .collect();
    if sites.len() > NAMED {
        ids.push("…".into());
    }
    format!(
        "{} in {} from {} {}, {}, {}",
        bytes(sum.reserved),
        counted(sum.live, "reservation", "reservations"),
        if sites.len() == 1 { "site" } else { "sites" },
        ids.join(", "),
        touched(&sum),
        charged(&sum)
    )
}
