//! The sentence on top, and its level.
//!
//! Honest before clever: `benign` only where it is clear, `leak` only for memory that is touched,
//! charged, kept, and grows steadily, and for what is reserved again and again and never given back; else
//! `unknown`.

pub mod rate;

pub mod harm;

pub mod work;

pub mod trend;

mod pools;

mod suspects;

mod facts;

pub mod kinds;

mod unusual;

mod confidence;

mod sentences;

mod victim;

pub mod answer;

mod judge;

pub use facts::{Facts, Freed, Refusals, Whose};
pub use judge::verdict;
pub use pools::Pool;
pub use suspects::SiteFacts;
pub use unusual::{is_open, unusual};
