//! The live view: what one leaves open during an incident.
//!
//! The collector hands out how things stand and, as often as it can afford, a whole report ([`feed`]); it
//! never waits for the terminal. The view has a thread of its own ([`run`]). What is shown is state
//! ([`state`], changed by [`keys`]) drawn into a buffer ([`view`]): neither knows a terminal or a clock.
//! [`screen`] is the terminal, and leaves it as it was whatever happens.
//!
//! Every string that a traced process can choose is escaped as in the text report: the view is made of its
//! lines ([`tracer_report::text::line::Line`]).

pub mod feed;

pub mod history;

pub mod rows;

pub mod tree;

pub mod processes;

pub mod letters;

pub mod state;

pub mod keys;

pub mod view;

pub mod held_log;

pub mod screen;

pub mod run;
