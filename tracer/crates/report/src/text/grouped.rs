//! The table of what was never released, by kind, by thread or by module.

use std::io::{self, Write};

use super::before::Before;
use super::line::{Line, Paint};
use super::sites::LIVING;
use super::table::Layout;
use super::writer::ReportWriter;
use crate::figures::Figures;
use crate::folding::Folded;
use crate::grouping::grouped;
use crate::selection::{By, Candidate};
use tracer_analysis::summary::{Process, Site};

/// Before the titles.
const INDENT: usize = 4;

struct GroupRow {
    name: String,
    sites: u64,
    figures: Figures,
}

impl Candidate for GroupRow {
    fn figures(&self) -> &Figures {
        &self.figures
    }

    fn sites(&self) -> u64 {
        self.sites
    }
}

impl<W: Write> ReportWriter<'_, W> {
    /// A line for each kind, thread or module; call sites have tables of their own.
    pub(super) fn grouped(
        &mut self,
        process: &Process,
        sites: &[(&Site, Folded)],
        by: By,
        most: usize,
    ) -> io::Result<()> {
        let title = format!("never released, by {}", by.word());
        let groups = grouped(sites, by).into_iter().map(|group| GroupRow {
            figures: Figures::of(&group.sites),
            sites: group.sites.len() as u64,
            name: group.name,
        });
        self.groups(process, &title, groups.collect(), most)
    }

    fn groups(
        &mut self,
        process: &Process,
        title: &str,
        groups: Vec<GroupRow>,
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
