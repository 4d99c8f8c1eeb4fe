//! One address space of a ledger that is told what to say.

use std::collections::BTreeMap;

use tracer_analysis::{LivingReservation, SpaceView};
use tracer_ledger::event::SpaceId;
use tracer_ledger::ledger::Checks;
use tracer_ledger::ledger::change::ReservationId;

/// What lives in it, by its id in the changes.
pub(crate) type Living = BTreeMap<ReservationId, LivingReservation>;

/// What is told of one address space.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) id: SpaceId,
    pub(crate) living: Living,
    pub(crate) kernel_bytes: Option<u64>,
    pub(crate) checks: Checks,
    pub(crate) is_in_doubt: bool,
}

impl SpaceView for Told {
    fn id(&self) -> SpaceId {
        self.id
    }

    fn living(&self) -> Vec<LivingReservation> {
        self.living.values().cloned().collect()
    }

    fn mapped_bytes(&self) -> u64 {
        self.living.values().map(|one| one.reserved).sum()
    }

    fn kernel_bytes(&self) -> Option<u64> {
        self.kernel_bytes
    }

    fn is_in_doubt(&self) -> bool {
        self.is_in_doubt
    }

    fn checks(&self) -> Checks {
        self.checks.clone()
    }
}
