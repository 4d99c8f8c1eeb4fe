//! A call site as the patterns look at it.

use std::rc::Rc;

use crate::Analysis;
use crate::accounts::merge::Group;
use crate::accounts::run::Run;
use crate::engine::view::LivingReservation;
use crate::model::summary::{Pattern, Site, Trend};
use crate::patterns::{Observation, Settled};
use crate::verdict::Pool;

impl Analysis {
    /// Names the kind of each site, and says which pool it is of, if it is of one. The groups are those of
    /// the sites, in the same order, with what is left of their reservations.
    pub(super) fn recognise_all(
        &self,
        run: &Run,
        end: u64,
        sites: &mut [Site],
        touched_steadily: &[Option<bool>],
        groups: &[(&Group, Vec<Settled<'_>>)],
    ) -> Vec<Option<Rc<Pool>>> {
        for ((site, touched_steadily), (group, settled)) in
            sites.iter_mut().zip(touched_steadily).zip(groups)
        {
            let growing = site.trend == Trend::Growing || *touched_steadily == Some(true);
            site.pattern = self.recognise(run, group, site, settled.clone(), growing);
        }
        let mut pools: Vec<Option<Rc<Pool>>> = vec![None; sites.len()];
        let mut ids: Vec<String> = Vec::new();
        for pattern in sites.iter().filter_map(|site| site.pattern.as_ref()) {
            if self.patterns.is_pool(&pattern.id) && !ids.contains(&pattern.id) {
                ids.push(pattern.id.clone());
            }
        }
        for id in ids {
            let is_of = |site: &Site| {
                let pattern = site.pattern.as_ref();
                pattern.is_some_and(|pattern| pattern.id == id)
            };
            let members: Vec<usize> = (0..sites.len()).filter(|&at| is_of(&sites[at])).collect();
            let of: Vec<&Group> = members.iter().map(|&at| groups[at].0).collect();
            let pool = Rc::new(Pool::of(run, &of, end, self.faults_followed()));
            for at in members {
                let (group, settled) = &groups[at];
                let growing = pool.is_growing();
                let site = &sites[at];
                let pattern = self.recognise(run, group, site, settled.clone(), growing);
                sites[at].pattern = pattern;
                pools[at] = Some(Rc::clone(&pool));
            }
        }
        pools
    }

    /// What kind of reservations a site's are. What was there before tracing is not looked at: the kernel
    /// merges neighbours, so that its shape is not that of any call. What came by fork has its stack.
    /// `growing`: more and more of it is reserved or touched.
    fn recognise(
        &self,
        run: &Run,
        group: &Group,
        site: &Site,
        settled: Vec<Settled<'_>>,
        growing: bool,
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
            growing,
            mostly_touched: mostly_touched(site),
        })
    }
}

/// So much that it is memory rather than address space.
fn mostly_touched(site: &Site) -> bool {
    const FEW: u64 = 1 << 20;
    let touched = site.touched_bytes.unwrap_or(0);
    touched >= FEW && touched > site.reserved_bytes / 2
}

/// All of it is of files, of which the pages can be read again: not of memory that only has a file's name.
pub(super) fn is_of_files(settled: &[Settled<'_>]) -> bool {
    const IN_MEMORY: [&str; 3] = ["/memfd:", "/dev/", "/SYSV"];
    let is_file = |one: &Settled<'_>| {
        one.name.starts_with('/') && !IN_MEMORY.iter().any(|prefix| one.name.starts_with(prefix))
    };
    !settled.is_empty() && settled.iter().all(is_file)
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
