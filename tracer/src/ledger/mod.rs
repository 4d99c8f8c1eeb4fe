//! The ledger.
pub mod change;
