//! The model that is serialised: [`summary`] is its root.

pub mod window;

pub mod checked;

pub mod rate;

pub mod limits;

pub mod meaning;

pub mod before;

pub mod site;

pub mod summary;

pub mod ending;

pub mod refused;

pub mod residency;
