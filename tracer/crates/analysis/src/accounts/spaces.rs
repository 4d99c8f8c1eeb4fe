//! Living address spaces, and where what lives in them is accounted.

use crate::accounts::site::unsigned;
use crate::accounts::time::TraceTime;
use tracer_ledger::ledger::change::Difference;

/// A living address space, and who shares it.
#[derive(Debug, Default)]
pub struct SharedSpace {
    /// The runs that live in it; the first one owns its reservations.
    pub runs: Vec<usize>,
    /// What lives in it, bytes.
    pub figures: Difference,
}

impl SharedSpace {
    /// How much there is in it.
    pub fn bytes(&self) -> SpaceBytes {
        SpaceBytes {
            mapped: unsigned(self.figures.reserved),
            touched: unsigned(self.figures.touched),
        }
    }
}

/// How much there is in an address space, as the ledger knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpaceBytes {
    /// Mapped.
    pub mapped: u64,
    /// Of these, touched.
    pub touched: u64,
}

/// Where a living reservation is accounted.
#[derive(Clone, Copy, Debug)]
pub struct Accounted {
    /// Whose it is.
    pub run: usize,
    /// Index into its sites.
    pub site: u32,
    /// When it was made; `None`: nobody saw it.
    pub born: Option<TraceTime>,
    /// The high tide after which it was made, while there was no other since; 0: it was a part of one.
    pub after: u64,
}
