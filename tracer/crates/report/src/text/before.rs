//! What a process did not reserve itself, or not while it was traced, on two lines.

use std::io::{self, Write};

use super::line::{Line, Paint};
use super::table::Layout;
use super::writer::ReportWriter;
use crate::figures::Figures;
use crate::folding::fold;
use crate::placeholders;
use crate::wrappers::Wrappers;
use tracer_analysis::summary::{Before as Known, Process, Site};
use tracer_analysis::units::{bytes, count};

/// The most names in the second line.
const NAMES: usize = 8;

/// See the module.
pub(super) struct Before<'a> {
    title: &'static str,
    sites: Vec<&'a Site>,
    sum: Figures,
    /// By kinds, if their shapes were looked at.
    known: Option<&'a Known>,
}

impl<'a> Before<'a> {
    pub(super) fn of(process: &'a Process) -> Self {
        let sites: Vec<&Site> = process
            .sites
            .iter()
            .filter(|site| site.pre_existing && site.reserved_bytes > 0)
            .collect();
        Self {
            title: placeholders::before(process.from_start),
            sum: Figures::of(&sites),
            sites,
            known: process
                .before
                .as_ref()
                .filter(|known| !known.kinds.is_empty()),
        }
    }
}

impl<W: Write> ReportWriter<'_, W> {
    pub(super) fn before_cells(&self, before: &Before<'_>) -> Vec<String> {
        let sum = &before.sum;
        vec![
            bytes(sum.reserved),
            bytes(sum.accessible),
            self.touched(sum.touched),
            sum.resident.map_or_else(|| "?".into(), bytes),
            count(sum.live),
            String::new(),
        ]
    }

    pub(super) fn before(
        &mut self,
        layout: &Layout,
        before: &Before<'_>,
        row: &[String],
    ) -> io::Result<()> {
        if before.sites.is_empty() {
            return Ok(());
        }
        self.blank()?;
        let mut line = Line::new();
        line.add(Paint::Bright, before.title);
        layout.figures(&mut line, row, Paint::Plain);
        self.line(&line)?;
        let names = before.known.map_or_else(|| by_name(&before.sites), by_kind);
        self.indented(layout.indent, Paint::Dim, &names.join(" · "))
    }
}

fn by_name(sites: &[&Site]) -> Vec<String> {
    let named = sites.iter().take(NAMES);
    let mut names: Vec<String> = named
        .map(|site| format!("{} {}", name(site), bytes(site.reserved_bytes)))
        .collect();
    if sites.len() > NAMES {
        names.push(format!("{} more", count((sites.len() - NAMES) as u64)));
    }
    names
}

/// As it was when tracing began.
fn by_kind(known: &Known) -> Vec<String> {
    let named = known.kinds.iter().take(NAMES);
    let mut names: Vec<String> = named
        .map(|kind| format!("{} {}", kind.name, bytes(kind.reserved_bytes)))
        .collect();
    let sure: u64 = known.kinds.iter().map(|kind| kind.reserved_bytes).sum();
    if known.kinds.len() > NAMES {
        let rest = known.kinds[NAMES..].iter().map(|kind| kind.reserved_bytes);
        names.push(format!("other kinds {}", bytes(rest.sum())));
    }
    let unsure = known.virtual_bytes.saturating_sub(sure);
    if unsure > 0 {
        names.push(format!("of no sure kind {}", bytes(unsure)));
    }
    names
}

fn name(site: &Site) -> String {
    if !site.frames.is_empty() {
        let folded = fold(&site.frames, &Wrappers::default());
        return folded.title.unwrap_or_else(|| "?".into());
    }
    placeholders::mapping(&site.name).to_owned()
}
