//! What the kernel refused: a few lines below the verdict.

use std::io::{self, Write};

use super::line::Paint;
use super::page::LABEL;
use super::writer::ReportWriter;
use tracer_analysis::refusals::words;
use tracer_analysis::summary::Process;
use tracer_analysis::units::counted;

/// Rows if nobody asked for more.
const ROWS: usize = 4;

impl<W: Write> ReportWriter<'_, W> {
    pub(super) fn refused(&mut self, process: &Process) -> io::Result<()> {
        let most = if self.style.selection.all {
            usize::MAX
        } else {
            ROWS
        };
        // A runtime that asks at one address after the other does so from many places that read the same.
        let mut rows: Vec<(String, String, u64)> = Vec::new();
        for row in &process.refused {
            let (what, parts) = (words::what(row), words::parts(row).join(" · "));
            match rows
                .iter_mut()
                .find(|(known, of, _)| *known == what && *of == parts)
            {
                Some((.., places)) => *places += 1,
                None => rows.push((what, parts, 1)),
            }
        }
        for (rank, (what, parts, places)) in rows.iter().take(most).enumerate() {
            let label = if rank == 0 { "Refused" } else { "" };
            self.labelled(label, Paint::Bad, what, Paint::Plain)?;
            let more = if *places > 1 {
                format!(" · from {places} places alike")
            } else {
                String::new()
            };
            self.indented(LABEL + 2, Paint::Dim, &format!("{parts}{more}"))?;
        }
        let hidden = rows.len().saturating_sub(most);
        if hidden > 0 {
            let more = counted(hidden as u64, "more place", "more places");
            self.indented(LABEL, Paint::Dim, &format!("and {more}: --all"))?;
        }
        Ok(())
    }
}
