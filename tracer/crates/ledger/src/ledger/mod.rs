//! The ledger: a model of every traced address space, driven by [events](crate::event) in true order.
//!
//! Read in this order: [`change`] (what comes out), [`interval_map`] and [`page_set`] (the leaves),
//! [`piece`] and [`reservation`] (what is known of pages, and of what one call made), [`rules`] (in what kernels differ),
//! [`address_space`] and `edit` (one space, and its few mutations), `own_pages`, then what calls them:
//! `calls` (mappings and protections), `advice`, `segments`, [`remap`], `growth`, `touch`, [`reconcile`] with its [`journal`], and in front of all [`processes`].

pub mod change;

pub mod interval_map;
pub mod page_set;
pub mod page_size;

pub mod piece;
pub mod reservation;
pub mod rules;

pub mod journal;

pub mod address_space;
mod edit;
mod own_pages;

mod advice;
mod calls;
pub mod checks;
mod growth;
pub mod remap;
mod segments;
mod touch;

pub mod reconcile;

pub mod processes;

pub use address_space::AddressSpace;
pub use change::{Change, Difference, Origin, ReservationId};
pub use checks::{Checks, RangeDifference};
pub use piece::{Attributes, Piece};
pub use processes::Ledger;
pub use reservation::Reservation;

#[cfg(test)]
mod tests;
