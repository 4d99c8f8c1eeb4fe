//! What came and went inside the window that was asked for.

use std::io::{self, Write};

use super::line::{Line, Paint};
use super::table::{Column, Layout};
use super::writer::ReportWriter;
use crate::folding::Folded;
use crate::rows::folded;
use tracer_analysis::summary::{Process, Sets, Site};
use tracer_analysis::units::{bytes, moment};

const COLUMNS: [Column; 4] = [
    Column::new("new, kept", 0),
    Column::new("new, freed", 1),
    Column::new("old, freed", 2),
    Column::new("old, kept", 3),
];
/// Before the titles: room for the numbers of sites.
const INDENT: usize = 6;
/// Rows that a process has at most.
const ROWS: usize = 10;

impl<W: Write> ReportWriter<'_, W> {
    /// Nothing without a window.
    pub(super) fn window(&mut self, process: &Process) -> io::Result<()> {
        let Some(window) = self.report.window else {
            return Ok(());
        };
        let folded = folded(process);
        let mut rows: Vec<(&Site, &Folded, Sets)> = folded
            .iter()
            .filter_map(|(site, folded)| Some((*site, folded, site.window?)))
            .filter(|(_, _, sets)| moved(sets) > 0)
            .collect();
        rows.sort_by_key(|(_, _, sets)| {
            std::cmp::Reverse((sets.inside_outside_bytes, moved(sets)))
        });
        let all = process.sites.iter().filter_map(|site| site.window);
        let sum = all.fold(Sets::default(), |sum, one| Sets {
            inside_outside_bytes: sum.inside_outside_bytes + one.inside_outside_bytes,
            inside_inside_bytes: sum.inside_inside_bytes + one.inside_inside_bytes,
            outside_inside_bytes: sum.outside_inside_bytes + one.outside_inside_bytes,
            outside_outside_bytes: sum.outside_outside_bytes + one.outside_outside_bytes,
        });
        if !self.style.selection.all {
            rows.truncate(ROWS);
        }
        let mut table: Vec<Vec<String>> = rows.iter().map(|(_, _, sets)| cells(sets)).collect();
        table.push(cells(&sum));
        let layout = Layout::new(&COLUMNS, &table, INDENT, self.style.width);
        let until = window.to_ns.min(process.last_ns);
        let title = format!("from {} to {}", moment(window.from_ns), moment(until));
        self.blank()?;
        self.line(&layout.header(&title, &COLUMNS))?;
        for ((site, folded, _), cells) in rows.iter().zip(&table) {
            let mut line = Line::new();
            line.add(Paint::Dim, &site.key).to_column(INDENT);
            let kind = site.pattern.as_ref().map(|pattern| pattern.name.as_str());
            let title = kind.or(folded.title.as_deref()).unwrap_or("unknown code");
            line.add(Paint::Bright, &layout.fit(title));
            layout.figures(&mut line, cells, Paint::Plain);
            self.line(&line)?;
        }
        let mut line = Line::new();
        line.to_column(INDENT).add(Paint::Plain, "in all");
        layout.figures(
            &mut line,
            table.last().map_or(&[], Vec::as_slice),
            Paint::Plain,
        );
        self.line(&line)
    }
}

fn moved(sets: &Sets) -> u64 {
    sets.inside_outside_bytes + sets.inside_inside_bytes + sets.outside_inside_bytes
}

fn cells(sets: &Sets) -> Vec<String> {
    vec![
        bytes(sets.inside_outside_bytes),
        bytes(sets.inside_inside_bytes),
        bytes(sets.outside_inside_bytes),
        bytes(sets.outside_outside_bytes),
    ]
}
