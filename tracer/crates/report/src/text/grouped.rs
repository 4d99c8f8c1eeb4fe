//! The table of what was never released, by kind, by thread or by module.

use std::io::{self, Write};

use super::Writer;
use super::before::Before;
use super::line::{Line, Paint};
use super::sites::LIVING;
use super::table::Layout;
use crate::figures::Figures;
use crate::folding::Folded;
use crate::selection::{By, Candidate};
use tracer_analysis::summary::{Process, Site};

/// Before the titles.
const INDENT: usize = 4;

struct Group {
    name: String,
    sites: u64,
    figures: Figures,
}

impl Candidate for Group {
    fn figures(&self) -> &Figures {
        &self.figures
    }

    fn sites(&self) -> u64 {
        self.sites
    }
}

impl<W: Write> Writer<'_, W> {
    /// A line for each kind, thread or module; call sites have tables of their own.
    pub(super) fn grouped(
        &mut self,
        process: &Process,
        sites: &[(&Site, Folded)],
        by: By,
        most: usize,
    ) -> io::Result<()> {
        let (word, key): (&str, fn(&Site, &Folded) -> String) = match by {
            By::Pattern => ("kind", kind),
            By::Thread => ("thread", threads),
            By::Site | By::Module => ("module", module),
        };
        let title = format!("never released, by {word}");
        self.groups(process, &title, grouped(sites, key), most)
    }

    fn groups(
        &mut self,
        process: &Process,
        title: &str,
        groups: Vec<Group>,
        most: usize,
    ) -> io::Result<()> {
        let selection = &self.style.selection;
        let chosen = selection.choose(groups, most, |figures| figures.reserved);
        let before = Before::of(process);
        let shown = chosen.shown.iter();
        let mut cells: Vec<Vec<String>> = shown.map(|group| self.cells(&group.figures)).collect();
        cells.push(self.before_cells(&before));
        let layout = Layout::new(&LIVING, &cells, INDENT, self.style.width);
        self.line(&layout.header(title, &LIVING))?;
        for (rank, (group, cells)) in chosen.shown.iter().zip(&cells).enumerate() {
            let mut line = Line::new();
            line.right(Paint::Dim, &(rank + 1).to_string(), INDENT - 2)
                .to_column(INDENT);
            line.add(Paint::Bright, &layout.fit(&group.name));
            layout.figures(&mut line, cells, Paint::Plain);
            self.line(&line)?;
        }
        self.hidden(INDENT, &chosen)?;
        self.before(&layout, &before, cells.last().map_or(&[], Vec::as_slice))
    }
}

/// What kind of reservation a site is of, in words.
#[must_use]
pub fn kind(site: &Site, _: &Folded) -> String {
    let pattern = site.pattern.as_ref();
    pattern.map_or_else(|| "of no known kind".into(), |pattern| pattern.name.clone())
}

/// The threads that called, in words.
#[must_use]
pub fn threads(site: &Site, _: &Folded) -> String {
    if site.thread_names.is_empty() {
        "?".into()
    } else {
        site.thread_names.join(", ")
    }
}

/// The module whose code asked, in words.
#[must_use]
pub fn module(_: &Site, folded: &Folded) -> String {
    folded.module.clone().unwrap_or_else(|| "?".into())
}

fn grouped(sites: &[(&Site, Folded)], key: impl Fn(&Site, &Folded) -> String) -> Vec<Group> {
    let mut groups: Vec<(String, Vec<&Site>)> = Vec::new();
    for (site, folded) in sites {
        let key = key(site, folded);
        match groups.iter_mut().find(|group| group.0 == key) {
            Some(group) => group.1.push(site),
            None => groups.push((key, vec![site])),
        }
    }
    groups
        .into_iter()
        .map(|(name, sites)| Group {
            name,
            sites: sites.len() as u64,
            figures: Figures::of(&sites),
        })
        .collect()
}
