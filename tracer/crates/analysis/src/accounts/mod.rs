//! What is kept of a trace while it goes on: by run, call site, stack and thread, in bounded memory.

pub mod curve;

pub mod courses;

pub mod distribution;

pub mod threads;

pub mod touchers;

pub mod frames;

pub mod site;

pub mod grades;

pub mod run;

pub mod merge;
