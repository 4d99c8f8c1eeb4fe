//! The table's rows: call sites, or what they are grouped by, with what they grew since a baseline.

use std::cmp::Reverse;
use std::collections::HashMap;

use tracer_analysis::{
    naming::fingerprint::{self, Fingerprint},
    summary::{Pattern, Process, Site},
    units::counted,
};
use tracer_report::{
    figures::Figures,
    grouping::grouped,
    names::{full_name, location},
    placeholders::without_frames,
    rows::{Common, folded, rows as merged},
    selection::{By, Sort},
};

/// What rows are sorted by, in the order of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// Bytes alive.
    #[default]
    Reserved,
    /// What these are more than at the baseline.
    Grown,
    /// Bytes touched.
    Touched,
    /// Bytes resident.
    Resident,
    /// Bytes accessible.
    Accessible,
    /// Calls.
    Calls,
    /// First call.
    Since,
}

impl Column {
    /// Each.
    pub const ALL: [Self; 7] = [
        Self::Reserved,
        Self::Grown,
        Self::Touched,
        Self::Resident,
        Self::Accessible,
        Self::Calls,
        Self::Since,
    ];

    /// The one after it; after the last the first.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|one| *one == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }
}

impl From<Sort> for Column {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Reserved => Self::Reserved,
            Sort::Touched => Self::Touched,
            Sort::Resident => Self::Resident,
            Sort::Calls => Self::Calls,
            Sort::Age => Self::Since,
        }
    }
}

/// How a row is known again in another snapshot, where sites have other numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// By one of its stacks.
    Stack(Fingerprint),
    /// By its name.
    Group(String),
}

/// One row. Strings are as they came: to be escaped where they are shown.
#[derive(Clone, Debug)]
pub struct TableRow {
    /// What it is.
    pub name: String,
    /// The same in short: the last parts of a function's name.
    pub short: String,
    /// Where that is, if it is one place.
    pub place: Option<String>,
    /// What kind of reservation it is, if all of it is of one.
    pub pattern: Option<Pattern>,
    /// What its sites add up to.
    pub figures: Figures,
    /// What is reserved more than at the baseline; `None`: there is none.
    pub grown: Option<i64>,
    /// Its sites, as indexes into the process's, the largest first; at least one.
    pub sites: Vec<usize>,
    /// It stands for what was there before.
    pub before: bool,
    /// The short id of its call site, if it has the one.
    pub id: Option<String>,
    /// The verdict is about it.
    pub pointed_out: bool,
    /// It is called by a function of the program's own, which says more than the kind.
    pub is_own: bool,
    /// Who called that, nearest first.
    pub callers: Vec<String>,
    prints: Vec<Fingerprint>,
    by_name: bool,
}

impl TableRow {
    /// How to know it again.
    #[must_use]
    pub fn key(&self) -> Option<Key> {
        if self.by_name {
            return Some(Key::Group(self.name.clone()));
        }
        self.prints.first().cloned().map(Key::Stack)
    }

    /// Whether all its sites are of one kind, or it has only one.
    #[must_use]
    pub fn is_of_one_kind(&self, process: &Process) -> bool {
        let id = |index: &usize| process.sites[*index].pattern.as_ref().map(|one| &one.id);
        match self.sites.as_slice() {
            [_] => true,
            [first, rest @ ..] => {
                id(first).is_some() && rest.iter().all(|one| id(one) == id(first))
            }
            [] => false,
        }
    }

    /// Whether it is the one of that key.
    #[must_use]
    pub fn is(&self, key: &Key) -> bool {
        match key {
            Key::Stack(print) => !self.by_name && self.prints.contains(print),
            Key::Group(name) => self.by_name && *name == self.name,
        }
    }
}

/// How rows are chosen and ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// What a row is.
    pub by: By,
    /// What rows are sorted by, the largest (or oldest) first.
    pub column: Column,
    /// The smallest (or newest) first.
    pub reverse: bool,
    /// Only rows with these letters somewhere in their names or stacks, whatever their case.
    pub filter: String,
}

/// What the growth of a process is told from.
#[derive(Clone, Copy, Debug)]
pub enum Baseline<'a> {
    /// There is nothing to tell it from.
    None,
    /// A moment before the process came.
    Before,
    /// The process as it was at a moment.
    Was(&'a Process),
}

/// The rows of a process, and how many the filter has left out.
#[must_use]
pub fn rows(process: &Process, order: &Order, baseline: Baseline<'_>) -> (Vec<TableRow>, usize) {
    let index: HashMap<u32, usize> = process
        .sites
        .iter()
        .enumerate()
        .map(|(index, site)| (site.id, index))
        .collect();
    let reserved_then = match baseline {
        Baseline::Was(process) => reserved(process),
        Baseline::None | Baseline::Before => HashMap::new(),
    };
    let row =
        |(name, short): (String, String), place: Option<String>, sites: &[&Site], by_name: bool| {
            let mut prints: Vec<Fingerprint> =
                sites.iter().map(|site| fingerprint::of(site)).collect();
            let first = prints.first().cloned();
            prints.sort_unstable();
            prints.dedup();
            let figures = Figures::of(sites);
            let was = match baseline {
                Baseline::None => None,
                Baseline::Was(_) => {
                    let then = prints.iter().filter_map(|print| reserved_then.get(print));
                    Some(then.sum())
                }
                // Of what the process found when it came, nothing has grown.
                Baseline::Before if sites[0].pre_existing => Some(figures.reserved),
                Baseline::Before => Some(0u64),
            };
            // The key is the largest site's.
            if let Some(at) = prints
                .iter()
                .position(|print| Some(print) == first.as_ref())
            {
                prints.swap(0, at);
            }
            let pattern = sites[0].pattern.clone();
            let same = |site: &&Site| {
                let id = |pattern: &Option<Pattern>| pattern.as_ref().map(|one| one.id.clone());
                id(&site.pattern) == id(&pattern)
            };
            TableRow {
                name,
                short,
                place,
                pattern: pattern.clone().filter(|_| sites.iter().all(same)),
                figures,
                grown: was.map(|was| difference(figures.reserved, was)),
                sites: sites
                    .iter()
                    .filter_map(|one| index.get(&one.id).copied())
                    .collect(),
                before: sites[0].pre_existing,
                id: (!by_name && !sites[0].key.is_empty()).then(|| sites[0].key.clone()),
                pointed_out: sites.iter().any(|site| is_told(process, site)),
                is_own: false,
                callers: Vec::new(),
                prints,
                by_name,
            }
        };
    let own = folded(process);
    let mut found: Vec<TableRow> = match order.by {
        By::Site => merged(own, false)
            .iter()
            .map(|merged| {
                let (name, place) = named(&merged.common, &merged.sites);
                let row = row(name, place, &merged.sites, false);
                match &merged.common {
                    // A pool's sites are many: none of their ids is the row's.
                    Common::Pool(_) => TableRow { id: None, ..row },
                    Common::Stack(folded) => TableRow {
                        // The loader, whose own functions say no more, has no place.
                        is_own: folded.location.is_some() && !folded.runtime && !folded.edge,
                        callers: folded.callers.clone(),
                        ..row
                    },
                }
            })
            .collect(),
        by => grouped(&own, by)
            .into_iter()
            .map(|group| {
                let name = (group.name.clone(), group.name);
                row(name, None, &group.sites, true)
            })
            .collect(),
    };
    let there: Vec<&Site> = process
        .sites
        .iter()
        .filter(|site| site.pre_existing && site.reserved_bytes + site.released_bytes > 0)
        .collect();
    if !there.is_empty() {
        let name = if process.from_start {
            "there at its start"
        } else {
            "there before tracing"
        };
        let mut before = row((name.into(), name.into()), None, &there, true);
        before.pattern = None;
        found.push(before);
    }
    let all = found.len();
    if !order.filter.is_empty() {
        let wanted = order.filter.to_lowercase();
        found.retain(|row| mentions(process, row, &wanted));
    }
    let left_out = all - found.len();
    sort(&mut found, order);
    (found, left_out)
}

fn sort(rows: &mut [TableRow], order: &Order) {
    // The largest first; what is unknown last, whatever the direction.
    let value = |row: &TableRow| -> Option<i128> {
        let figures = &row.figures;
        match order.column {
            Column::Reserved => Some(figures.reserved.into()),
            Column::Grown => row.grown.map(Into::into),
            Column::Touched => figures.touched.map(Into::into),
            Column::Resident => figures.resident.map(Into::into),
            Column::Accessible => Some(figures.accessible.into()),
            Column::Calls => Some(figures.calls.into()),
            Column::Since => Some(-i128::from(figures.first_ns)),
        }
    };
    rows.sort_by_key(|row| {
        let value = value(row);
        let placed = value.map(|value| if order.reverse { value } else { -value });
        // As in the report: by what is reserved, what the verdict is about comes first.
        let told = row.pointed_out && order.column == Column::Reserved && !order.reverse;
        // What was there before is nobody's doing: it stands below.
        (
            !told,
            row.before,
            value.is_none(),
            placed,
            Reverse(row.figures.reserved),
        )
    });
}

/// Whether the verdict names it.
fn is_told(process: &Process, site: &Site) -> bool {
    let who = &process.verdict.who;
    who.iter().any(|who| who.site == site.key)
}

/// The difference, as far as it can be told.
#[must_use]
pub fn difference(now: u64, was: u64) -> i64 {
    i64::try_from(i128::from(now) - i128::from(was)).unwrap_or(i64::MAX)
}

/// What is reserved, by stack.
fn reserved(process: &Process) -> HashMap<Fingerprint, u64> {
    let mut sums = HashMap::new();
    for site in &process.sites {
        *sums.entry(fingerprint::of(site)).or_default() += site.reserved_bytes;
    }
    sums
}

/// Name, the same in short, and place.
fn named(common: &Common, sites: &[&Site]) -> ((String, String), Option<String>) {
    let twice = |name: String| (name.clone(), name);
    match common {
        Common::Pool(pool) => {
            let many = counted(sites.len() as u64, "site", "sites");
            (twice((*pool).into()), Some(many))
        }
        Common::Stack(folded) => match &folded.title {
            Some(title) => (
                (title.clone(), folded.short.clone()),
                folded.location.clone(),
            ),
            None => (twice(without_frames(sites[0].calls, &sites[0].name)), None),
        },
    }
}

/// Whether the letters are in a row's names, or anywhere in its stacks.
fn mentions(process: &Process, row: &TableRow, wanted: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(wanted);
    let of_site = |site: &Site| {
        let frames = || site.frames.iter();
        site.thread_names.iter().any(|name| has(name))
            || has(&site.name)
            || site
                .pattern
                .as_ref()
                .is_some_and(|pattern| has(&pattern.name) || has(&pattern.id))
            || frames().any(|frame| {
                has(&full_name(frame)) || location(frame).is_some_and(|place| has(&place))
            })
    };
    has(&row.name)
        || row.place.as_deref().is_some_and(has)
        || row.id.as_deref().is_some_and(has)
        || row
            .sites
            .iter()
            .any(|index| of_site(&process.sites[*index]))
}
