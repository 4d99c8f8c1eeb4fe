//! A call site as the patterns look at it.

use super::Analysis;
use super::merge::Group;
use super::patterns::{Observation, Settled};
use super::run::Run;
use super::summary::{Pattern, Site, Trend};
use super::view::LivingReservation;

impl Analysis {
    /// What kind of reservations a site's are. What was there before tracing is not looked at: the kernel
    /// merges neighbours, so that its shape is not that of any call. What came by fork has its stack.
    pub(super) fn recognise(
        &self,
        run: &Run,
        group: &Group,
        site: &Site,
        settled: Vec<Settled<'_>>,
    ) -> Option<Pattern> {
        let called = site.calls > 0;
        if !called && site.frames.is_empty() {
            return None;
        }
        self.patterns.recognise(&Observation {
            frames: &site.frames,
            origin: group.origin.filter(|_| called),
            requested: group.sizes.span().filter(|_| called),
            settled,
            threads: site.thread_names.iter().map(String::as_str).collect(),
            runtime: run.identity.runtime.as_deref(),
            exe: &run.identity.exe,
            growing: site.trend == Trend::Growing,
        })
    }
}

/// What is left of a reservation, as the patterns look at it.
pub(super) fn settled(left: &LivingReservation) -> Settled<'_> {
    Settled {
        start: left.start.0,
        reserved: left.reserved,
        accessible: left.accessible,
        accessible_at: left.accessible_at,
        protection: left.protection,
        flags: left.flags,
        name: &left.name,
    }
}
