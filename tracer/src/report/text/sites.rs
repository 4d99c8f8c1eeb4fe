//! The tables: what was never released, what was, and what was there before.

use std::io::{self, Write};

use super::Writer;
use super::line::{Line, Paint, cut_end, cut_start, escape, width};
use super::stack::doubt;
use super::table::{Column, Layout};
use crate::analysis::summary::{Level, Process, Site, Trend};
use crate::analysis::units::{bytes, count, counted, duration, moment};
use crate::event::StackQuality;
use crate::report::folding::{Folded, fold};
use crate::report::selection::{By, Chosen};

const LIVING: [Column; 6] = [
    Column {
        header: "reserved",
        spare: 0,
    },
    Column {
        header: "accessible",
        spare: 3,
    },
    Column {
        header: "touched",
        spare: 1,
    },
    Column {
        header: "resident",
        spare: 5,
    },
    Column {
        header: "live/calls",
        spare: 2,
    },
    Column {
        header: "since",
        spare: 4,
    },
];
const GONE: [Column; 4] = [
    Column {
        header: "released",
        spare: 0,
    },
    Column {
        header: "calls",
        spare: 1,
    },
    Column {
        header: "peak",
        spare: 2,
    },
    Column {
        header: "lived",
        spare: 3,
    },
];
/// Lines below a title begin this much further in.
const FURTHER: usize = 2;
/// The most names in the line of what was there before.
const NAMES: usize = 8;

impl<W: Write> Writer<'_, W> {
    pub(super) fn tables(&mut self, process: &Process) -> io::Result<()> {
        match self.style.selection.by {
            By::Site => self.living(process)?,
            By::Thread => self.grouped(process, "never released, by thread", |site, _| {
                if site.thread_names.is_empty() {
                    "?".into()
                } else {
                    site.thread_names.join(", ")
                }
            })?,
            By::Module => self.grouped(process, "never released, by module", |_, folded| {
                folded.module.clone().unwrap_or_else(|| "?".into())
            })?,
        }
        self.gone(process)
    }

    fn living(&mut self, process: &Process) -> io::Result<()> {
        let chosen = self.style.selection.never_released(process);
        let mut rows: Vec<Vec<String>> = chosen.shown.iter().map(|site| self.cells(site)).collect();
        let before = Before::of(process);
        rows.push(self.before_cells(&before));
        let indent = indent(&chosen);
        let layout = Layout::new(&LIVING, &rows, indent, self.style.width);
        self.line(&layout.header("never released", &LIVING))?;
        if chosen.shown.is_empty() && chosen.hidden == 0 {
            self.indented(indent, Paint::Plain, "nothing that it has reserved itself")?;
        }
        for (site, row) in chosen.shown.iter().zip(&rows) {
            let folded = fold(&site.frames);
            let in_title = self.title(&layout, site, &folded, row)?;
            let below = indent + FURTHER;
            let location = folded.location.as_deref().filter(|_| !in_title);
            let whose = site.pattern.as_ref().and(folded.title.as_deref());
            self.callers(below, whose, location, &folded.callers)?;
            self.way(below, &folded)?;
            self.notes(below, process, site)?;
        }
        self.hidden(indent, &chosen)?;
        if self.report.faults != "each" {
            self.indented(
                indent,
                Paint::Dim,
                "touched is unknown: page faults were not followed one by one",
            )?;
        }
        self.before(&layout, &before, rows.last().map_or(&[], Vec::as_slice))
    }

    /// The first line of a site; whether the location found room on it.
    fn title(
        &mut self,
        layout: &Layout,
        site: &Site,
        folded: &Folded,
        row: &[String],
    ) -> io::Result<bool> {
        let mut line = Line::new();
        line.right(Paint::Dim, &site.id.to_string(), layout.indent - 2);
        line.to_column(layout.indent);
        let fitted = match (&site.pattern, &folded.title) {
            (Some(pattern), _) => cut_end(&pattern.name, layout.title),
            (None, Some(title)) if width(&escape(title)) <= layout.title => title.clone(),
            (None, Some(_)) => cut_start(&folded.short, layout.title),
            (None, None) => cut_end(&unknown_title(site), layout.title),
        };
        let paint = if site.frames.is_empty() {
            Paint::Plain
        } else {
            Paint::Bright
        };
        line.add(paint, &fitted);
        let mut in_title = false;
        if let Some(pattern) = &site.pattern {
            let word = level_word(pattern.level, pattern.confidence);
            if width(&fitted) + 2 + width(&word) <= layout.title {
                line.add(Paint::Plain, "  ").add(Paint::Good, &word);
            }
        } else if let Some(location) = &folded.location {
            in_title = width(&fitted) + 2 + width(&escape(location)) <= layout.title;
            if in_title {
                line.add(Paint::Plain, "  ").add(Paint::Plain, location);
            }
        }
        let paint = if site.trend == Trend::Growing {
            Paint::Warn
        } else {
            Paint::Plain
        };
        layout.figures(&mut line, row, paint);
        self.line(&line)?;
        Ok(in_title)
    }

    fn cells(&self, site: &Site) -> Vec<String> {
        let calls = if site.calls == 0 {
            "?".into()
        } else {
            count(site.calls)
        };
        vec![
            bytes(site.reserved_bytes),
            bytes(site.accessible_bytes),
            self.touched(site.touched_bytes),
            site.resident_bytes.map_or_else(|| "?".into(), bytes),
            format!("{}/{calls}", count(site.live)),
            moment(site.first_ns),
        ]
    }

    /// A lower bound is marked as one.
    fn touched(&self, touched: Option<u64>) -> String {
        match touched {
            None => "?".into(),
            Some(touched) if self.report.losses.faults > 0 => format!("≥ {}", bytes(touched)),
            Some(touched) => bytes(touched),
        }
    }

    /// What the figures do not say: growth, what was given back, whose thread, doubts.
    fn notes(&mut self, indent: usize, process: &Process, site: &Site) -> io::Result<()> {
        if site.trend == Trend::Growing {
            let text = format!("still growing, last call at {}", moment(site.last_ns));
            self.indented(indent, Paint::Warn, &text)?;
        }
        let mut notes = Vec::new();
        if let Some(lifetimes) = site.lifetime_ns {
            notes.push(format!(
                "{} given back, half of them within {}",
                bytes(site.released_bytes),
                duration(lifetimes.p50)
            ));
        }
        if let Some(threads) = threads(process, site) {
            notes.push(threads);
        }
        if let Some(doubt) = doubt(site.stack)
            && site.calls > 0
        {
            notes.push(doubt.into());
        }
        if notes.is_empty() {
            return Ok(());
        }
        self.indented(indent, Paint::Dim, &notes.join(" · "))
    }

    fn hidden(&mut self, indent: usize, chosen: &Chosen<'_>) -> io::Result<()> {
        if chosen.hidden == 0 {
            return Ok(());
        }
        let text = format!(
            "and {}, {}",
            counted(chosen.hidden, "more site", "more sites"),
            bytes(chosen.hidden_bytes)
        );
        self.indented(indent, Paint::Dim, &text)
    }

    fn grouped(
        &mut self,
        process: &Process,
        title: &str,
        key: impl Fn(&Site, &Folded) -> String,
    ) -> io::Result<()> {
        let chosen = self.style.selection.never_released(process);
        let mut groups: Vec<(String, Vec<&Site>)> = Vec::new();
        for site in chosen.shown {
            let key = key(site, &fold(&site.frames));
            match groups.iter_mut().find(|group| group.0 == key) {
                Some(group) => group.1.push(site),
                None => groups.push((key, vec![site])),
            }
        }
        let mut rows: Vec<(String, u64, Vec<String>)> = groups
            .into_iter()
            .map(|(name, sites)| {
                let sum = sum(&sites);
                (name, sum.reserved_bytes, self.cells(&sum))
            })
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.1));
        let before = Before::of(process);
        let mut cells: Vec<Vec<String>> = rows.iter().map(|row| row.2.clone()).collect();
        cells.push(self.before_cells(&before));
        let layout = Layout::new(&LIVING, &cells, 4, self.style.width);
        self.line(&layout.header(title, &LIVING))?;
        for (rank, (name, _, row)) in rows.iter().enumerate() {
            let mut line = Line::new();
            line.right(Paint::Dim, &(rank + 1).to_string(), 2)
                .to_column(4);
            line.add(Paint::Bright, &layout.fit(name));
            layout.figures(&mut line, row, Paint::Plain);
            self.line(&line)?;
        }
        let rest = Chosen {
            shown: Vec::new(),
            ..chosen
        };
        self.hidden(4, &rest)?;
        self.before(&layout, &before, cells.last().map_or(&[], Vec::as_slice))
    }

    fn gone(&mut self, process: &Process) -> io::Result<()> {
        let chosen = self.style.selection.released(process);
        if chosen.shown.is_empty() && chosen.hidden == 0 {
            return Ok(());
        }
        let rows: Vec<Vec<String>> = chosen
            .shown
            .iter()
            .map(|site| {
                vec![
                    bytes(site.released_bytes),
                    count(site.calls),
                    bytes(site.peak_bytes),
                    site.lifetime_ns
                        .map_or_else(|| "?".into(), |lifetimes| duration(lifetimes.p50)),
                ]
            })
            .collect();
        let indent = indent(&chosen);
        let layout = Layout::new(&GONE, &rows, indent, self.style.width);
        self.blank()?;
        self.line(&layout.header("released, all of it", &GONE))?;
        for (site, row) in chosen.shown.iter().zip(&rows) {
            let folded = fold(&site.frames);
            let in_title = self.title(&layout, site, &folded, row)?;
            let location = folded.location.as_deref().filter(|_| !in_title);
            self.callers(indent + FURTHER, None, location, &folded.callers)?;
        }
        self.hidden(indent, &chosen)
    }

    fn before_cells(&self, before: &Before<'_>) -> Vec<String> {
        let sum = &before.sum;
        vec![
            bytes(sum.reserved_bytes),
            bytes(sum.accessible_bytes),
            self.touched(sum.touched_bytes),
            sum.resident_bytes.map_or_else(|| "?".into(), bytes),
            count(sum.live),
            String::new(),
        ]
    }

    /// Everything that was there before, on two lines.
    fn before(&mut self, layout: &Layout, before: &Before<'_>, row: &[String]) -> io::Result<()> {
        if before.sites.is_empty() {
            return Ok(());
        }
        self.blank()?;
        let mut line = Line::new();
        line.add(Paint::Bright, before.title);
        layout.figures(&mut line, row, Paint::Plain);
        self.line(&line)?;
        let mut names: Vec<String> = before
            .sites
            .iter()
            .take(NAMES)
            .map(|site| format!("{} {}", before_name(site), bytes(site.reserved_bytes)))
            .collect();
        if before.sites.len() > NAMES {
            names.push(format!(
                "{} more",
                count((before.sites.len() - NAMES) as u64)
            ));
        }
        self.indented(layout.indent, Paint::Dim, &names.join(" · "))
    }
}

/// What a process did not reserve itself, or not while it was traced.
struct Before<'a> {
    title: &'static str,
    sites: Vec<&'a Site>,
    sum: Site,
}

impl<'a> Before<'a> {
    fn of(process: &'a Process) -> Self {
        let sites: Vec<&Site> = process
            .sites
            .iter()
            .filter(|site| site.pre_existing && site.reserved_bytes > 0)
            .collect();
        Self {
            title: if process.from_start {
                "there at its start"
            } else {
                "before tracing"
            },
            sum: sum(&sites),
            sites,
        }
    }
}

fn before_name(site: &Site) -> String {
    if !site.frames.is_empty() {
        let folded = fold(&site.frames);
        return folded.title.unwrap_or_else(|| "?".into());
    }
    match site.name.rsplit('/').next() {
        None | Some("") => "anonymous".into(),
        Some(name) => name.to_owned(),
    }
}

fn unknown_title(site: &Site) -> String {
    if site.calls > 0 {
        return "unknown code".into();
    }
    // Growth without a call: the main stack, or what a loss has hidden.
    if site.name.is_empty() {
        "grown without a traced call".into()
    } else {
        format!("{}, grown without a call", site.name)
    }
}

/// Room for the numbers of sites.
fn indent(chosen: &Chosen<'_>) -> usize {
    let most = chosen.shown.iter().map(|site| site.id).max().unwrap_or(0);
    most.to_string().len().max(2) + 2
}

fn level_word(level: Level, confidence: f64) -> String {
    let level = match level {
        Level::Benign => "benign",
        Level::Watch => "to be watched",
        Level::Leak => "leak",
        Level::Unknown => "unknown",
    };
    let sure = match confidence {
        sure if sure >= 0.9 => "sure",
        likely if likely >= 0.6 => "likely",
        _ => "perhaps",
    };
    format!("{level}, {sure}")
}

/// Who called, unless it was only the main thread under one of the names that a process has had.
fn threads(process: &Process, site: &Site) -> Option<String> {
    const SHOWN: usize = 3;
    let last_part = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let command = process.cmdline.first().map(|command| last_part(command));
    let own = [
        process.comm.clone(),
        last_part(&process.exe),
        command.unwrap_or_default(),
    ];
    // The kernel cuts a thread's name after 15 bytes.
    let main = |name: &str| own.iter().any(|own| own.starts_with(name));
    let names: Vec<&str> = site.thread_names.iter().map(String::as_str).collect();
    if names.iter().all(|name| main(name)) {
        return None;
    }
    let mut text = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    let word = if names.len() == 1 {
        "thread"
    } else {
        "threads"
    };
    Some(format!("{word} {text}"))
}

/// Some sites as one, without a stack.
fn sum(sites: &[&Site]) -> Site {
    let mut sum = Site {
        id: 0,
        frames: Vec::new(),
        stack: StackQuality::None,
        thread_names: Vec::new(),
        name: String::new(),
        pattern: None,
        pre_existing: false,
        calls: 0,
        live: 0,
        reserved_bytes: 0,
        accessible_bytes: 0,
        touched_bytes: Some(0),
        resident_bytes: None,
        charged_bytes: 0,
        released_bytes: 0,
        peak_bytes: 0,
        first_ns: u64::MAX,
        last_ns: 0,
        lifetime_ns: None,
        trend: Trend::OneOff,
    };
    for site in sites {
        sum.calls += site.calls;
        sum.live += site.live;
        sum.reserved_bytes += site.reserved_bytes;
        sum.accessible_bytes += site.accessible_bytes;
        sum.touched_bytes = sum
            .touched_bytes
            .zip(site.touched_bytes)
            .map(|(a, b)| a + b);
        if let Some(resident) = site.resident_bytes {
            *sum.resident_bytes.get_or_insert(0) += resident;
        }
        sum.first_ns = sum.first_ns.min(site.first_ns);
    }
    sum
}
