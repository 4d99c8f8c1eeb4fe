//! The model as JSON, and its JSON Schema.

use std::io::{self, Write};

use serde::Serialize;

use tracer_analysis::{diff::model::Diff, summary::Report};

/// Writes a model as indented JSON with a newline at its end.
///
/// # Errors
/// Those of `out`.
pub fn write(model: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, model).map_err(io::Error::from)?;
    writeln!(out)
}

/// The JSON Schema (2020-12) of what [`write()`] writes, indented, with a newline at its end.
#[must_use]
pub fn schema() -> String {
    // `{:#}` of a JSON value is the indented form and, unlike a writer, has no error to return.
    format!("{:#}\n", schemars::schema_for!(Report).as_value())
}

/// The JSON Schema (2020-12) of a comparison, as [`schema`].
#[must_use]
pub fn diff_schema() -> String {
    format!("{:#}\n", schemars::schema_for!(Diff).as_value())
}
