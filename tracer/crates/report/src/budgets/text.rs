//! Budgets as text.

use std::io::{self, Write};

use super::{SitesById, measured, state};
use crate::text::line::{Line, Paint, width, wrap};
use tracer_analysis::budget::model::{Judged, Outcome, State};
use tracer_analysis::summary::Report;
use tracer_analysis::units::counted;

/// Where the text beside a budget's state begins.
const LABEL: usize = 14;
/// Where its sites begin.
const SITE: usize = 20;
/// Sites named for each broken budget.
const NAMED: usize = 5;

/// How the text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns; taken as 60 at least and 200 at most.
    pub width: usize,
    /// Whether colours are allowed.
    pub color: bool,
    /// No line has what GitHub's runner would take for a command of the other kind that it knows
    /// (`##[…]`, wherever it stands in a line).
    pub on_github: bool,
}

/// Writes every budget, each in a line, and of those that are broken what they are made up of.
///
/// # Errors
/// Those of `out`.
pub fn write(
    outcome: &Outcome,
    report: &Report,
    look: Look,
    out: &mut impl Write,
) -> io::Result<()> {
    let look = Look {
        width: look.width.clamp(60, 200),
        ..look
    };
    let mut writer = BudgetsWriter {
        look,
        out,
        sites: SitesById::of(report),
    };
    for budget in &outcome.budgets {
        writer.budget(budget)?;
    }
    for trouble in &outcome.trouble {
        writer.labelled("not measured", Paint::Warn, trouble)?;
    }
    let of = |wanted| {
        let budgets = outcome.budgets.iter();
        budgets.filter(|one| one.state == wanted).count() as u64
    };
    let mut text = counted(outcome.budgets.len() as u64, "budget", "budgets");
    for wanted in [State::Over, State::Unmeasured, State::Within] {
        match of(wanted) {
            0 => {}
            number => text.push_str(&format!(", {number} {}", state(wanted))),
        }
    }
    writer.text(0, Paint::Bright, &text)
}

struct BudgetsWriter<'a, W> {
    look: Look,
    out: &'a mut W,
    sites: SitesById<'a>,
}

impl<W: Write> BudgetsWriter<'_, W> {
    fn line(&mut self, line: &Line) -> io::Result<()> {
        if !self.look.on_github {
            return line.write(self.look.color, self.out);
        }
        let mut text = Vec::new();
        line.write(self.look.color, &mut text)?;
        let text = String::from_utf8_lossy(&text).replace("##[", "# #[");
        self.out.write_all(text.as_bytes())
    }

    fn text(&mut self, indent: usize, paint: Paint, text: &str) -> io::Result<()> {
        for part in wrap(text, self.look.width - indent) {
            let mut line = Line::new();
            line.to_column(indent).add(paint, &part);
            self.line(&line)?;
        }
        Ok(())
    }

    fn labelled(&mut self, label: &str, paint: Paint, text: &str) -> io::Result<()> {
        for (index, part) in wrap(text, self.look.width - LABEL).iter().enumerate() {
            let mut line = Line::new();
            if index == 0 {
                line.add(paint, label);
            } else if part.starts_with("::") {
                // It may be what a traced process says: no command to GitHub's runner.
                line.add(Paint::Dim, "·");
            }
            line.to_column(LABEL).add(Paint::Plain, part);
            self.line(&line)?;
        }
        Ok(())
    }

    fn budget(&mut self, budget: &Judged) -> io::Result<()> {
        let paint = match budget.state {
            State::Within => Paint::Good,
            State::Over => Paint::Bad,
            State::Unmeasured => Paint::Warn,
        };
        let text = format!("{}: {}", budget.expression, measured(budget));
        self.labelled(state(budget.state), paint, &text)?;
        if budget.state == State::Within {
            return Ok(());
        }
        if let Some(reason) = &budget.reason {
            self.labelled("", Paint::Plain, &format!("because: {reason}"))?;
        }
        if budget.state == State::Unmeasured {
            return Ok(());
        }
        let room = self.look.width - SITE;
        let named = self.sites.named(budget, NAMED, room);
        let widest = named.iter().map(|one| width(&one.amount)).max();
        let begin = LABEL + widest.unwrap_or(0);
        for site in &named {
            let mut line = Line::new();
            line.right(Paint::Bright, &site.amount, begin)
                .add(Paint::Plain, &format!("  {}", site.title))
                .add(Paint::Dim, &format!("  site {}", site.key));
            if let Some(process) = &site.process {
                line.add(Paint::Dim, &format!(" of {process}"));
            }
            self.line(&line)?;
            for below in &site.below {
                let mut line = Line::new();
                line.to_column(SITE).add(Paint::Dim, below);
                self.line(&line)?;
            }
        }
        match budget.sites.len() - named.len() {
            0 => Ok(()),
            more => {
                let more = counted(more as u64, "more site", "more sites");
                self.text(LABEL, Paint::Dim, &format!("and {more}: see --report FILE"))
            }
        }
    }
}
