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
        for (rank, row) in process.refused.iter().take(most).enumerate() {
            let label = if rank == 0 { "Refused" } else { "" };
            self.labelled(label, Paint::Bad, &words::what(row), Paint::Plain)?;
            self.indented(LABEL + 2, Paint::Dim, &words::parts(row).join(" · "))?;
        }
        let hidden = process.refused.len().saturating_sub(most);
        if hidden > 0 {
            let more = counted(hidden as u64, "more place", "more places");
            self.indented(LABEL, Paint::Dim, &format!("and {more}: --all"))?;
        }
        Ok(())
    }
}
