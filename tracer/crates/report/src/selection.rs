//! What of a report is shown, and in which order.

use clap::ValueEnum;

use super::figures::Figures;
use super::leading::leading;
use tracer_analysis::summary::{Level, Process, Report};

/// What is shown. The default: what matters, by size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Rows below this are summed up, bytes reserved (or released); `None`: by the process's size.
    pub min_size_bytes: Option<u64>,
    /// Nothing is summed up: every site, every process.
    pub all: bool,
    /// The order of the sites.
    pub sort: Sort,
    /// What a line of the table is.
    pub by: By,
}

/// The order of the sites, largest or oldest first. The words on its values are the help of `--sort`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// Bytes reserved.
    #[default]
    Reserved,
    /// Bytes touched.
    Touched,
    /// Bytes resident.
    Resident,
    /// Number of calls.
    Calls,
    /// First call first.
    Age,
}

/// What a line of the table is. The words on its values are the help of `--by`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// A call site.
    #[default]
    Site,
    /// All sites of one kind.
    Pattern,
    /// All sites of threads of one name.
    Thread,
    /// All sites of the module or script whose code asked.
    Module,
}

impl By {
    /// What tables that are sorted like this are by, in words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Pattern => "kind",
            Self::Thread => "thread",
            Self::Module => "module",
        }
    }
}

/// Below this a row says nothing, bytes.
const LEAST: u64 = 64 << 10;
/// Touched memory below this is no reason to show a row, bytes.
const TOUCHED: u64 = 1 << 20;

/// Some rows to show, and what the others add up to.
#[derive(Clone, Debug)]
pub struct Chosen<R> {
    /// In the order asked for.
    pub shown: Vec<R>,
    /// How many sites are not shown.
    pub hidden: u64,
    /// Their bytes: reserved, or released.
    pub hidden_bytes: u64,
    /// Of these, touched; `None`: not known.
    pub hidden_touched: Option<u64>,
}

/// Something that may be a row of a table.
pub trait Candidate {
    /// What it adds up to.
    fn figures(&self) -> &Figures;
    /// Sites in it.
    fn sites(&self) -> u64;
    /// Whether the verdict is about it: then it is shown, and first unless another order is asked for.
    fn is_pointed_out(&self) -> bool {
        false
    }
}

/// A process below this is folded away if another is bigger, bytes.
const SMALL_PROCESS: u64 = 64 << 20;

impl Selection {
    /// The processes that a report shows ([`leading`]'s first), and those that it only counts.
    #[must_use]
    pub fn processes<'a>(&self, report: &'a Report) -> (Vec<&'a Process>, Vec<&'a Process>) {
        let processes = leading(report);
        let peaks = processes.iter().map(|process| process.virtual_bytes.peak);
        let biggest = peaks.max().unwrap_or(0);
        let (mut shown, mut small) = (Vec::new(), Vec::new());
        for (rank, process) in processes.into_iter().enumerate() {
            let matters = rank == 0
                || self.all
                || matches!(
                    process.verdict.level,
                    Level::Leak | Level::Refused | Level::Watch
                )
                || process.virtual_bytes.peak >= SMALL_PROCESS.max(biggest / 50);
            let group = if matters { &mut shown } else { &mut small };
            group.push(process);
        }
        small.sort_by_key(|process| std::cmp::Reverse(process.virtual_bytes.peak));
        (shown, small)
    }

    /// The rows that matter, of at most `most`: a hundredth of all the bytes (`size`), or a twentieth
    /// of what was touched, or growing.
    #[must_use]
    pub fn choose<R: Candidate>(
        &self,
        rows: Vec<R>,
        most: usize,
        size: impl Fn(&Figures) -> u64,
    ) -> Chosen<R> {
        let touched = |row: &R| row.figures().touched.unwrap_or(0);
        let total: u64 = rows.iter().map(|row| size(row.figures())).sum();
        let total_touched: u64 = rows.iter().map(touched).sum();
        let weight = |row: &R| {
            let of_size = share(size(row.figures()), total);
            of_size.max(share(touched(row), total_touched))
        };
        let matters = |row: &R| {
            let bytes = size(row.figures());
            match self.min_size_bytes {
                _ if self.all => true,
                Some(least) => bytes >= least,
                None => {
                    bytes >= LEAST.max(total / 100)
                        || touched(row) >= TOUCHED.max(total_touched / 20)
                }
            }
        };
        let most = if self.all || self.min_size_bytes.is_some() {
            usize::MAX
        } else {
            most
        };
        let mut chosen = Chosen {
            shown: Vec::new(),
            hidden: 0,
            hidden_bytes: 0,
            hidden_touched: Some(0),
        };
        let mut rows = rows;
        // By weight first: what is hidden matters least, whatever order is asked for.
        rows.sort_by_key(|row| std::cmp::Reverse(weight(row)));
        for (rank, row) in rows.into_iter().enumerate() {
            let growing = self.min_size_bytes.is_none() && row.figures().is_growing();
            if growing || row.is_pointed_out() || (matters(&row) && rank < most) {
                chosen.shown.push(row);
            } else {
                chosen.hidden += row.sites();
                chosen.hidden_bytes += size(row.figures());
                let touched = row.figures().touched;
                chosen.hidden_touched = chosen.hidden_touched.zip(touched).map(|(a, b)| a + b);
            }
        }
        chosen.shown.sort_by(|one, other| {
            let (a, b) = (one.figures(), other.figures());
            match self.sort {
                Sort::Reserved => other
                    .is_pointed_out()
                    .cmp(&one.is_pointed_out())
                    .then(size(b).cmp(&size(a))),
                Sort::Touched => b.touched.cmp(&a.touched),
                Sort::Resident => b.resident.cmp(&a.resident),
                Sort::Calls => b.calls.cmp(&a.calls),
                Sort::Age => a.first_ns.cmp(&b.first_ns),
            }
        });
        chosen
    }
}

/// Millionths.
fn share(part: u64, whole: u64) -> u64 {
    let millionths = u128::from(part) * 1_000_000 / u128::from(whole.max(1));
    u64::try_from(millionths).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Selection};
    use crate::figures::Figures;

    struct Row(Figures);

    impl Candidate for Row {
        fn figures(&self) -> &Figures {
            &self.0
        }

        fn sites(&self) -> u64 {
            1
        }
    }

    const MIB: u64 = 1 << 20;

    fn row(reserved: u64, touched: u64, growing: u64) -> Row {
        Row(Figures {
            reserved,
            touched: Some(touched),
            growing,
            ..Figures::of(&[])
        })
    }

    fn shown(selection: &Selection, rows: Vec<Row>, most: usize) -> (Vec<u64>, u64) {
        let chosen = selection.choose(rows, most, |figures| figures.reserved);
        let shown = chosen.shown.iter().map(|row| row.0.reserved).collect();
        (shown, chosen.hidden_bytes)
    }

    #[test]
    fn what_is_small_is_shown_only_if_it_is_memory_or_grows() {
        let rows = || {
            vec![
                row(10_000 * MIB, 0, 0),
                row(90 * MIB, 0, 0),
                row(60 * MIB, 60 * MIB, 0),
                row(2 * MIB, MIB, 2 * MIB),
            ]
        };
        let usual = Selection::default();
        let (big, untouched, touched, growing) = (10_000 * MIB, 90 * MIB, 60 * MIB, 2 * MIB);
        assert_eq!(
            shown(&usual, rows(), 8),
            (vec![big, touched, growing], untouched)
        );
        let all = Selection {
            all: true,
            ..Selection::default()
        };
        assert_eq!(shown(&all, rows(), 1).0.len(), 4);
        let asked = Selection {
            min_size_bytes: Some(80 * MIB),
            ..Selection::default()
        };
        assert_eq!(
            shown(&asked, rows(), 1),
            (vec![big, untouched], touched + growing)
        );
    }

    #[test]
    fn of_too_many_rows_the_least_are_hidden() {
        let rows = (1..=9).map(|size| row(size * MIB, 0, 0)).collect();
        let (shown, hidden) = shown(&Selection::default(), rows, 2);
        assert_eq!(shown, [9 * MIB, 8 * MIB]);
        assert_eq!(hidden, 28 * MIB);
    }
}
