//! The text report: for a person, at a terminal or in a file, 60 to 200 columns wide.
//!
//! Every string that comes from a traced process goes through [`line::escape`]: it cannot move the
//! cursor, set a title or hide text.

pub mod line;

pub mod style;

pub mod page;

pub mod answer;

pub mod explain;

pub mod diff;

pub mod trial;

pub(super) mod brief;

pub mod harm;

pub mod process;

mod writer;

mod refused;

mod report;

mod before;

mod grades;

mod grouped;

mod notes;

mod sites;

pub mod sparkline;

mod stack;

pub mod table;

mod window;

pub use report::write;
pub use sites::level_word;
pub use style::Style;
