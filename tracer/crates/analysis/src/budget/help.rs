//! What `tracer check --help` says of the metrics: written from their rows.

use super::expression::CHOICES;
use super::figures::FIGURES;
use super::metrics::{Help, METRICS};
use crate::model::summary::Level;

/// Columns before what is said of a metric.
const COLUMN: usize = 45;

/// Every metric with what it is, a line each or some to a line, and the figures; without a newline at the end.
#[must_use]
pub fn metrics() -> String {
    let mut text = String::from("Metrics:\n");
    for first in &METRICS {
        let Help::Line(begin) = first.help else {
            continue;
        };
        let (mut names, mut says) = (first.name.to_owned(), begin.to_owned());
        for other in &METRICS {
            if let Help::Beside(line, more) = other.help
                && line == first.name
            {
                names = format!("{names} {}", other.name);
                says.push_str(more);
            }
        }
        text.push_str(&line(COLUMN, &names, &says));
    }
    text.push_str(&line(COLUMN, "level", &levels()));
    for choice in &CHOICES {
        let form = format!("{}({}).FIGURE", choice.word, choice.argument);
        // Those with quotes have always stood a column to the left of the others.
        let column = COLUMN - usize::from(form.contains('"'));
        text.push_str(&line(column, &form, choice.help));
    }
    let growth = "above the baseline's; its limit may be in % of that";
    text.push_str(&line(COLUMN, "growth(METRIC)", growth));
    let figures: Vec<&str> = FIGURES.iter().map(|figure| figure.name).collect();
    text + "FIGURE: " + &figures.join(" ")
}

/// `benign < unknown < …`, as budgets compare them.
fn levels() -> String {
    Level::ALL.map(Level::word).join(" < ")
}

fn line(column: usize, names: &str, says: &str) -> String {
    format!("  {names:<column$}{says}\n")
}
