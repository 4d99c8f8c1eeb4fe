//! The ledger: a model of every traced address space, driven by [events](crate::event) in true order.
//!
//! Read in this order: [`change`] (what comes out), `interval_map` and `page_set` (the leaves), `piece` and
//! `reservation` (what is known of pages, and of what one call made), `rules` (in what kernels differ),
//! `journal` (what calls have determined while the ledger is not sure) and `checks` (how it stood against the
//! kernel), `address_space` and `edit` (one space, and its few mutations), `own_pages`, then what calls them:
//! `calls` (mappings and protections), `advice`, `segments`, `remap`, `growth`, `touch`; `names`, `compare`
//! and `reconcile` (readings of the maps), and in front of all `processes`.

pub mod change;

mod interval_map;
mod page_set;
mod page_size;

mod piece;
mod reservation;
mod rules;

mod checks;
mod journal;

mod address_space;
mod edit;
mod own_pages;

mod advice;
mod calls;
mod growth;
mod remap;
mod segments;
mod touch;

mod compare;
mod names;
mod reconcile;

mod processes;

pub use address_space::{AddressSpace, Fallen};
pub use change::{Change, Difference, Origin, ReservationId};
pub use checks::{Checks, Comparison, FoundDifference, RangeDifference};
pub use names::MappedFile;
pub use piece::{Attributes, OwnPages, Piece, Segment};
pub use processes::Ledger;
pub use reservation::Reservation;

#[cfg(test)]
mod tests;
