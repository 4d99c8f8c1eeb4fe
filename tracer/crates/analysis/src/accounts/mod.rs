//! What is kept of a trace while it goes on: by run, call site, stack and thread, in bounded memory.

pub mod time;

pub mod view;

pub mod curve;

pub mod courses;

pub mod distribution;

pub mod threads;

pub mod files;

pub mod objects;

pub mod frames;

pub mod touchers;

pub mod windowed;

pub mod tide;

pub mod site;

pub mod spaces;

pub mod standing;

pub mod pages;

pub mod groups;

pub mod run;

pub mod grades;

pub mod merge;
