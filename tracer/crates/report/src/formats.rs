//! The formats, each a row of one table: what the help says of it, how its files end, and what writes a report, a
//! comparison, an explanation, the results of a check or a trial in it. To add one: its writer, and its row.

use std::io::{self, Write};

use clap::{ValueEnum, builder::PossibleValue};

use crate::budgets::{
    github,
    text::{self as results, Look},
};
use crate::export::{csv, differential, flamegraph, folded, perfetto, pprof, samples::Value};
use crate::text::{self, Style, page::Page};
use crate::{html, json, markdown};
use tracer_analysis::budget::model::Outcome;
use tracer_analysis::diff::model::Diff;
use tracer_analysis::explain::Explanation;
use tracer_analysis::summary::Report;
use tracer_analysis::trial::model::Trial;

/// The formats, in the order of the help.
pub const FORMATS: [Format; 9] = [
    Format {
        comparison: Some(Comparison {
            help: "For people, on a terminal",
            write: |compared, style, _, out| text::diff::write(compared.diff, style, out),
        }),
        explanation: Some(|seen, page, full, out| text::explain::write(seen, page, full, out)),
        trial: Some(|trial, page, out| text::trial::write(trial, page, out)),
        results: Some(|outcome, report, look, out| {
            results::write(outcome, report, look, out)?;
            if look.on_github {
                github::annotations(outcome, report, out)?;
            }
            Ok(())
        }),
        ..Format::new(
            ("text", ".txt"),
            "For people, on a terminal",
            |report, style, _, out| text::write(report, style, out).map(all),
        )
    },
    Format {
        comparison: Some(Comparison {
            help: "For programs: schema tracer.diff/1",
            write: |compared, _, _, out| json::write(compared.diff, out),
        }),
        explanation: Some(|seen, _, _, out| json::write(seen, out)),
        trial: Some(|trial, _, out| json::write(trial, out)),
        // An annotation would make JSON none.
        results: Some(|outcome, _, _, out| json::write(outcome, out)),
        ..Format::new(
            ("json", ".json"),
            "For programs: schema tracer.report/1",
            |report, _, _, out| json::write(report, out).map(all),
        )
    },
    Format {
        results: Some(|outcome, report, _, out| github::summary(outcome, report, out)),
        ..Format::new(
            ("markdown", ".md"),
            "To be pasted into an issue's thread",
            |report, style, _, out| markdown::write(report, &style.selection, out).map(all),
        )
    },
    Format {
        comparison: Some(Comparison {
            help: "One page for a browser, with everything in it",
            write: |compared, _, _, out| {
                html::write_diff(compared.diff, (compared.old, compared.new), out)
            },
        }),
        ..Format::new(
            ("html", ".html"),
            "One page for a browser, with everything in it",
            |report, _, _, out| html::write(report, out).map(all),
        )
    },
    Format {
        shows_value: true,
        comparison: Some(Comparison {
            help: "A line a call stack, with what --value says before and after: for flame graph tools",
            write: |compared, _, value, out| differential::write_folded(compared.diff, value, out),
        }),
        ..Format::new(
            ("folded", ".folded"),
            "A line a call stack, with what --value says: for flame graph tools and speedscope",
            |report, _, value, out| folded::write(report, value, out),
        )
    },
    Format {
        shows_value: true,
        comparison: Some(Comparison {
            help: "An SVG for a browser, of what --value says: red grew, blue shrank",
            write: |compared, _, value, out| {
                differential::write_flamegraph(compared.diff, value, out)
            },
        }),
        ..Format::new(
            ("flamegraph", ".svg"),
            "An SVG for a browser, of what --value says",
            |report, _, value, out| flamegraph::write(report, value, out).map(all),
        )
    },
    Format {
        is_binary: true,
        ..Format::new(
            ("pprof", ".pb.gz"),
            "For `go tool pprof`; binary",
            |report, _, _, out| pprof::write(report, out).map(all),
        )
    },
    Format {
        is_binary: true,
        ..Format::new(
            ("perfetto", ".pftrace"),
            "For ui.perfetto.dev: what was there over time, by kind; binary",
            |report, _, _, out| perfetto::write(report, out).map(all),
        )
    },
    Format::new(
        ("csv", ".csv"),
        "For spreadsheets and data frames: a row a call site",
        |report, _, _, out| csv::write(report, out).map(all),
    ),
];

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What it is called on the command line.
    pub name: &'static str,
    /// How the names of its files end, with the dot.
    pub ending: &'static str,
    /// No terminal can show it.
    pub is_binary: bool,
    /// It shows one figure of each call site, which is to be chosen: a [`Value`].
    pub shows_value: bool,
    help: &'static str,
    report: WriteReport,
    comparison: Option<Comparison>,
    explanation: Option<WriteExplanation>,
    results: Option<WriteResults>,
    trial: Option<WriteTrial>,
}

/// Writes a report; returns of how many call sites the figure is unknown and for which the format has no place.
type WriteReport = fn(&Report, &Style, Value, &mut Out<'_>) -> io::Result<u64>;
/// Writes what a process's mappings are: all of it, or what matters.
pub type WriteExplanation = fn(&Explanation, &Page, bool, &mut Out<'_>) -> io::Result<()>;
/// Writes what became of budgets.
pub type WriteResults = fn(&Outcome, &Report, Look, &mut Out<'_>) -> io::Result<()>;
/// Writes what came of a command's knobs.
pub type WriteTrial = fn(&Trial, &Page, &mut Out<'_>) -> io::Result<()>;
/// Where all of them write to: a function's pointer cannot be generic.
pub type Out<'a> = &'a mut dyn Write;

/// A comparison and what it is of.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// The comparison.
    pub diff: &'a Diff,
    /// The earlier side.
    pub old: &'a Report,
    /// The later side.
    pub new: &'a Report,
}

/// How a format shows a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    help: &'static str,
    write: fn(Compared<'_>, &Style, Value, &mut Out<'_>) -> io::Result<()>,
}

impl Comparison {
    /// Writes one.
    ///
    /// # Errors
    /// Those of `out`; it does not have the figures that the format needs.
    pub fn write(
        self,
        compared: Compared<'_>,
        style: &Style,
        value: Value,
        mut out: &mut dyn Write,
    ) -> io::Result<()> {
        (self.write)(compared, style, value, &mut out)
    }
}

impl Format {
    /// The first of the table, for people.
    pub const TEXT: Self = FORMATS[0];

    const fn new(
        (name, ending): (&'static str, &'static str),
        help: &'static str,
        report: WriteReport,
    ) -> Self {
        Self {
            name,
            ending,
            help,
            is_binary: false,
            shows_value: false,
            report,
            comparison: None,
            explanation: None,
            results: None,
            trial: None,
        }
    }

    /// The one whose files end as this name does, if there is more to the name.
    #[must_use]
    pub fn of_file(name: &[u8]) -> Option<Self> {
        FORMATS.into_iter().find(|format| {
            let ending = format.ending.as_bytes();
            name.len() > ending.len() && name.ends_with(ending)
        })
    }

    /// Writes a report. Returns how many call sites are left out, because the figure is unknown of them and the
    /// format has no place to say so.
    ///
    /// # Errors
    /// Those of `out`; the report does not have the figures that the format needs.
    pub fn write(
        self,
        report: &Report,
        style: &Style,
        value: Value,
        mut out: &mut dyn Write,
    ) -> io::Result<u64> {
        (self.report)(report, style, value, &mut out)
    }

    /// How it shows a comparison, if it does.
    #[must_use]
    pub fn comparison(self) -> Option<Comparison> {
        self.comparison
    }

    /// What writes an explanation in it, if there is such a thing.
    #[must_use]
    pub fn explanation(self) -> Option<WriteExplanation> {
        self.explanation
    }

    /// What writes the results of a check in it, if there is such a thing.
    #[must_use]
    pub fn results(self) -> Option<WriteResults> {
        self.results
    }

    /// What writes a trial in it, if there is such a thing.
    #[must_use]
    pub fn trial(self) -> Option<WriteTrial> {
        self.trial
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &FORMATS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name).help(self.help))
    }
}

/// How comparisons can be shown, each with its word and help on the command line.
#[must_use]
pub fn of_comparisons() -> Vec<(PossibleValue, Comparison)> {
    let shown = FORMATS.into_iter().filter_map(|format| {
        let comparison = format.comparison?;
        let word = PossibleValue::new(format.name).help(comparison.help);
        Some((word, comparison))
    });
    shown.collect()
}

/// No call site is left out.
fn all((): ()) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{FORMATS, Format};

    #[test]
    fn no_two_formats_have_one_name_or_one_ending() {
        let names: BTreeSet<_> = FORMATS.iter().map(|format| format.name).collect();
        let endings: BTreeSet<_> = FORMATS.iter().map(|format| format.ending).collect();
        assert_eq!((names.len(), endings.len()), (FORMATS.len(), FORMATS.len()));
    }

    #[test]
    fn a_file_is_of_the_format_of_its_ending_unless_it_has_no_name() {
        let name = |file: &str| Format::of_file(file.as_bytes()).map(|format| format.name);
        for format in FORMATS {
            assert_eq!(name(&format!("a{}", format.ending)), Some(format.name));
            assert_eq!(name(format.ending), None);
        }
        assert_eq!(name("a.gz"), None);
        assert_eq!(name("json"), None);
    }
}
