//! Budgets for GitHub Actions: annotations as workflow commands, and the job's summary as Markdown.
//!
//! A workflow command is a line `::error title=…::…`
//! (<https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>). GitHub documents
//! them on standard output; its runner looks at both streams for them (`ScriptHandler` gives both to one
//! `ActionCommandManager`, <https://github.com/actions/runner>).

use std::io::{self, Write};

use super::{SitesById, measured, state};
use crate::markup::plain;
use crate::text::line::escape;
use tracer_analysis::budget::model::{Judged, Outcome, State};
use tracer_analysis::summary::Report;

/// Sites named in an annotation, and in the summary.
const NAMED: usize = 3;
/// Columns of a line about a site.
const WIDTH: usize = 160;

/// One command for each budget that was not kept, and for what was in the way.
///
/// # Errors
/// Those of `out`.
pub fn annotations(outcome: &Outcome, report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut sites = SitesById::of(report);
    for budget in &outcome.budgets {
        if budget.state == State::Within {
            continue;
        }
        let title = format!("{}: {}", state(budget.state), escape(&budget.expression));
        let text = [measured(budget), details(budget, &mut sites)].concat();
        command(&title, &text, out)?;
    }
    for trouble in &outcome.trouble {
        command("not measured", &escape(trouble), out)?;
    }
    Ok(())
}

/// Why, and the sites, each on a line of its own, every line with a newline before it.
pub(super) fn details(budget: &Judged, sites: &mut SitesById<'_>) -> String {
    let mut text = String::new();
    if let Some(reason) = &budget.reason {
        text.push_str(&format!("\nbecause: {}", escape(reason)));
    }
    if budget.state != State::Over {
        return text;
    }
    for site in sites.named(budget, NAMED, WIDTH) {
        let process = site
            .process
            .map_or_else(String::new, |comm| format!(" of {comm}"));
        text.push_str(&format!(
            "\n{}  {} (site {}{process})",
            site.amount, site.title, site.key
        ));
        for line in site.below {
            text.push_str(&format!("\n    {line}"));
        }
    }
    text
}

fn command(title: &str, text: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "::error title={}::{}", property(title), data(text))
}

/// As the runner's toolkit escapes a command's text.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// As the runner's toolkit escapes a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A part of the job's summary: a table of all budgets, and what the broken ones are made up of.
///
/// # Errors
/// Those of `out`.
pub fn summary(outcome: &Outcome, report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut sites = SitesById::of(report);
    writeln!(out, "### Memory budgets\n")?;
    writeln!(out, "| | fails on | measured |\n|---|---|---|")?;
    for budget in &outcome.budgets {
        let mark = match budget.state {
            State::Within => "✅",
            State::Over => "❌",
            State::Unmeasured => "⚠️",
        };
        writeln!(
            out,
            "| {mark} {} | {} | {} |",
            state(budget.state),
            plain(&budget.expression),
            plain(&measured(budget))
        )?;
    }
    for trouble in &outcome.trouble {
        writeln!(out, "\n⚠️ {}", plain(trouble))?;
    }
    for budget in &outcome.budgets {
        let details = details(budget, &mut sites);
        if !details.is_empty() {
            // Indented by four: a block of code, whatever is in it.
            writeln!(out, "\n{}:\n", plain(&budget.expression))?;
            writeln!(out, "    {}", details.trim_start().replace('\n', "\n    "))?;
        }
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::{data, property};

    #[test]
    fn what_would_end_a_command_or_its_property_is_escaped() {
        assert_eq!(data("50 %\r\n::error::x"), "50 %25%0D%0A::error::x");
        assert_eq!(property("a: b, 5%"), "a%3A b%2C 5%25");
    }
}
