//! What comes of files that were named: a recording as the source of events, a report that was kept, the
//! user's own patterns.

mod metered;

mod pattern_files;

mod recording;

mod either;

pub(crate) use either::{open, open_both};
pub(crate) use pattern_files::patterns_with;
pub(crate) use recording::replay;
