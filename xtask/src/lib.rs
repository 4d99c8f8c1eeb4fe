//! What the project's own programs share: [`process`] (running other programs), [`places`] (where what was built
//! lies) and [`bench`](mod@bench) (what `cargo xtask bench` is told).

pub mod process;

pub mod places;

pub mod bench;
