//! What the command line means: typed values, checked, ready to be used.
//!
//! Each command resolves what was typed ([`crate::cli`]) into one of these when it begins; below that nobody asks
//! again what was typed, or what a terminal, a variable of the environment or a file of budgets says to it.

mod screen;

mod output;

mod tracing;

mod live;

mod replay;

mod diff;

mod explain;

mod check;

mod trial;

pub use check::{Check, Source};
pub use diff::Diff;
pub use explain::Explain;
pub use live::{Attach, Program, Run, Top, TopTarget, Wanted};
pub use output::{Output, ReportFile};
pub use replay::Report;
pub use screen::{Screen, Stream};
pub use tracing::Tracing;
pub use trial::Try;
