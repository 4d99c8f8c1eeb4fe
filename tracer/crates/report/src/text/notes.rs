//! What the figures of a row do not say: growth, what was given back, whose thread, doubts.

use std::io::{self, Write};

use super::line::{Paint, cut_middle};
use super::writer::ReportWriter;
use crate::names::{is_loader, last_part};
use crate::noise::{Rank, rank};
use crate::placeholders::doubt;
use crate::rows::{Common, SiteRow};
use crate::selection::Candidate;
use crate::touched::touched_by;
use tracer_analysis::summary::{Process, Site, Trend};
use tracer_analysis::units::{bytes, count, duration, moment};
use tracer_ledger::event::StackQuality;

/// The most names of threads, or numbers of sites.
const SHOWN: usize = 4;
/// Threads that runtimes make for themselves, as the kernel cuts the names: libuv's pool, V8's and
/// Node's platform, io_uring's helpers.
const POOL_THREADS: &[&str] = &[
    "libuv-worker",
    "V8Worker",
    "DelayedTaskSche",
    "node-V8Worker",
    "iou-",
];

impl<W: Write> ReportWriter<'_, W> {
    pub(super) fn notes(
        &mut self,
        indent: usize,
        process: &Process,
        row: &SiteRow<'_>,
    ) -> io::Result<()> {
        let figures = row.figures();
        if figures.is_growing() {
            let mut text = format!("still growing, last call at {}", moment(figures.last_ns));
            if row.sites.len() > 1 {
                let growing = row.sites.iter();
                let growing = growing.filter(|site| site.trend == Trend::Growing);
                let ids: Vec<String> = growing.map(|site| site.key.clone()).collect();
                text.push_str(&format!(": site {}", listed(&ids)));
            }
            self.indented(indent, Paint::Warn, &text)?;
        }
        if let Some(text) = files(row) {
            let room = self.style.width.saturating_sub(indent);
            self.indented(indent, Paint::Dim, &cut_middle(&text, room))?;
        }
        if let Some(text) = touched_by(&row.sites) {
            self.indented(indent, Paint::Dim, &text)?;
        }
        let mut notes = Vec::new();
        if let Some((_, median)) = figures.median_lifetime {
            notes.push(format!(
                "{} given back, half of them within {}",
                bytes(figures.released),
                duration(median)
            ));
        }
        if let Some(threads) = threads(process, row) {
            notes.push(threads);
        }
        let doubtful = row.sites.iter();
        let doubtful = doubtful.filter(|site| site.calls > 0 && !is_whole(site));
        if let Some(doubt) = doubtful.filter_map(|site| doubt(site.stack)).next()
            && matches!(row.common, Common::Stack(_))
        {
            notes.push(doubt.into());
        }
        if let Some(sites) = sites(row) {
            notes.push(sites);
        }
        if notes.is_empty() {
            return Ok(());
        }
        self.indented(indent, Paint::Dim, &notes.join(" · "))
    }
}

/// `of /srv/data/a.db and 3 more`: the files that its mappings are of.
fn files(row: &SiteRow<'_>) -> Option<String> {
    let mut paths: Vec<&str> = Vec::new();
    for path in row.sites.iter().flat_map(|site| &site.files) {
        if !paths.contains(&path.as_str()) {
            paths.push(path);
        }
    }
    match paths[..] {
        [] => None,
        [one] => Some(format!("of {one}")),
        [first, .., last] if paths.len() == 2 => Some(format!("of {first} and {last}")),
        [first, ..] => Some(format!("of {first} and {} more", paths.len() - 1)),
    }
}

/// Whatever ended the walk, it had come to the end: a stack that was cut off where a thread or program
/// begins, or one that lost its way behind the loader's entry, which has no caller to be found.
fn is_whole(site: &Site) -> bool {
    let Some(outermost) = site.frames.last() else {
        return false;
    };
    match site.stack {
        StackQuality::Cut => rank(outermost) == Rank::Start,
        StackQuality::Broken => outermost.function.is_some() && is_loader(outermost),
        StackQuality::Complete | StackQuality::None => false,
    }
}

/// The ids of the sites that a row stands for besides the one before its title; those of a pool only if they are few.
fn sites(row: &SiteRow<'_>) -> Option<String> {
    const FEW: usize = 12;
    let (word, sites) = match row.common {
        Common::Pool(_) if row.sites.len() > FEW => return None,
        Common::Pool(_) => ("sites", &row.sites[..]),
        Common::Stack(_) if row.sites.len() == 2 => ("and site", &row.sites[1..]),
        Common::Stack(_) => ("and sites", &row.sites[1..]),
    };
    let keys: Vec<String> = sites.iter().map(|site| site.key.clone()).collect();
    (!keys.is_empty()).then(|| format!("{word} {}", listed(&keys)))
}

/// Who called, unless it was only the main thread under one of the names that a process has had, or a
/// runtime's own thread at the runtime's own work.
fn threads(process: &Process, row: &SiteRow<'_>) -> Option<String> {
    let command = process.cmdline.first().map(|command| last_part(command));
    let own = [
        process.comm.as_str(),
        last_part(&process.exe),
        command.unwrap_or_default(),
    ];
    // The kernel cuts a thread's name after 15 bytes.
    let is_main = |name: &str| own.iter().any(|own| own.starts_with(name));
    let runtime = match &row.common {
        Common::Stack(folded) => folded.runtime,
        Common::Pool(_) => false,
    };
    let is_pool = |name: &str| runtime && POOL_THREADS.iter().any(|pool| name.starts_with(pool));
    let mut names: Vec<String> = Vec::new();
    for name in row.sites.iter().flat_map(|site| &site.thread_names) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    if names.iter().all(|name| is_main(name) || is_pool(name)) {
        return None;
    }
    let word = if names.len() == 1 {
        "thread"
    } else {
        "threads"
    };
    Some(format!("{word} {}", listed(&names)))
}

fn listed(names: &[String]) -> String {
    let mut text = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(
            " and {} more",
            count((names.len() - SHOWN) as u64)
        ));
    }
    text
}
