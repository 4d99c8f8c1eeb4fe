//! Writers: from the model ([`tracer_analysis::summary::Report`]) to an [`std::io::Write`].
//!
//! A writer reads nothing but the model, so a live trace and its recording print the same bytes. Every
//! string in the model that a traced process can choose (names, paths, arguments, functions) is
//! escaped where it is written: see [`text`].

pub use tracer_analysis::naming::{folding, names, noise, wrappers};

pub mod placeholders;

pub mod figures;

pub mod leading;

pub mod selection;

pub mod rows;

pub mod grouping;

pub mod touched;

pub mod text;

pub mod json;

pub mod markup;

pub mod markdown;

pub mod export;

pub mod html;

pub mod budgets;

pub mod formats;

pub mod redact;
