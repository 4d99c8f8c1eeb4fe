//! Figures, names and moments as people read and write them.

pub mod units;

pub mod names;

pub mod calendar;

pub mod mapping_words;

pub mod toml_text;

pub mod residency_words;

pub mod signals;

pub mod shell;
