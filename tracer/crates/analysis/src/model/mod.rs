//! The model that is serialised: [`summary`] is its root.

pub mod window;

pub mod checked;

pub mod meaning;

pub mod summary;
