//! What the project's own programs share: [`process`] (running other programs) and [`places`] (where what was
//! built lies).

pub mod process;

pub mod places;
