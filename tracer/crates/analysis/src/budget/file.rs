//! Budgets in a file: TOML, strict. What is not known there is a mistake, so that a budget spelled wrongly
//! is not one that always passes.
//!
//! ```toml
//! baseline = "main.json"            # beside this file
//!
//! [[budget]]
//! fail-on = "never-released > 100MiB"
//! reason = "the service runs in 512 MiB"
//! ```

use serde::Deserialize;
use toml::Spanned;

use super::expression::Budget;
use super::parse::parse;
use crate::words::toml_text::{self, Mistake};

/// What such a file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Budgets {
    /// The recording or report to hold growth against; as it stands there.
    pub baseline: Option<String>,
    /// In their order.
    pub budgets: Vec<Budget>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    baseline: Option<String>,
    #[serde(default)]
    budget: Vec<RawBudget>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawBudget {
    fail_on: Spanned<String>,
    reason: Option<String>,
}

/// Reads the text of one.
///
/// # Errors
/// The first mistake, and its line.
pub fn read(text: &str) -> Result<Budgets, Mistake> {
    let at = |offset: usize, what: String| Mistake::at(text, offset, what);
    let file: File = toml_text::read(text)?;
    let budgets = file.budget.into_iter().map(|raw| {
        let place = raw.fail_on.span().start;
        let budget = parse(raw.fail_on.get_ref()).map_err(|what| at(place, what))?;
        Ok(Budget {
            reason: raw.reason,
            ..budget
        })
    });
    Ok(Budgets {
        baseline: file.baseline,
        budgets: budgets.collect::<Result<_, _>>()?,
    })
}
