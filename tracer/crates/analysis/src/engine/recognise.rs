//! The second step: of what kind each call site is, and of which pool, as the patterns know them.

use std::rc::Rc;

use crate::Analysis;
use crate::accounts::merge::SiteGroup;
use crate::accounts::run::Run;
use crate::accounts::time::TraceTime;
use crate::engine::draft::{ProcessDraft, SiteDraft};
use crate::model::summary::{Pattern, Site, Trend};
use crate::patterns::Observation;
use crate::verdict::Pool;
use crate::verdict::work::Work;

impl Analysis {
    /// Names the kind of each site, and the pool that it is of, if it is of one.
    pub(super) fn recognise(&self, draft: &mut ProcessDraft<'_>) {
        let run = draft.run;
        let sites = &mut draft.sites;
        for one in &mut *sites {
            let growing = one.site.trend == Trend::Growing || one.touched_steadily;
            one.site.pattern = self.kind(run, one, growing);
        }
        let mut ids: Vec<String> = Vec::new();
        for pattern in sites.iter().filter_map(|one| one.site.pattern.as_ref()) {
            if self.patterns.is_pool(&pattern.id) && !ids.contains(&pattern.id) {
                ids.push(pattern.id.clone());
            }
        }
        for (one, other) in self.patterns.exchanges() {
            let of = |id: &str| {
                let kinds = sites.iter().map(|site| site.site.pattern.as_ref());
                let kinds = kinds
                    .enumerate()
                    .filter(|(_, kind)| kind.is_some_and(|kind| kind.id == id));
                kinds.map(|(at, _)| at).collect::<Vec<usize>>()
            };
            let (ones, others) = (of(one), of(other));
            if ones.is_empty() || others.is_empty() {
                continue;
            }
            let members = [ones, others].concat();
            let both = Rc::new(self.pool(draft.run, &members, sites, &draft.work, draft.end));
            for at in members {
                sites[at].exchange = Some(Rc::clone(&both));
            }
        }
        for id in ids {
            let is_of = |one: &SiteDraft<'_>| {
                let pattern = one.site.pattern.as_ref();
                pattern.is_some_and(|pattern| pattern.id == id)
            };
            let members: Vec<usize> = (0..sites.len()).filter(|&at| is_of(&sites[at])).collect();
            let pool = Rc::new(self.pool(run, &members, sites, &draft.work, draft.end));
            for at in members {
                let one = &mut sites[at];
                // What one place gives back another has taken: whether it grows only the whole pool tells.
                one.site.pattern = self.kind(run, one, pool.is_growing());
                one.pool = Some(Rc::clone(&pool));
            }
        }
    }

    /// Some sites together.
    fn pool(
        &self,
        run: &Run,
        members: &[usize],
        sites: &[SiteDraft<'_>],
        work: &Option<Rc<Work>>,
        end: TraceTime,
    ) -> Pool {
        let groups: Vec<&SiteGroup<'_>> = members.iter().map(|&at| &sites[at].group).collect();
        Pool::of(run, &groups, (end, work.as_deref()), self.faults_followed())
    }

    /// What kind of reservations a site's are. What was there before tracing is not looked at: the kernel
    /// merges neighbours, so that its shape is not that of any call. What came by fork has its stack.
    /// `growing`: more and more of it is reserved or touched.
    fn kind(&self, run: &Run, draft: &SiteDraft<'_>, growing: bool) -> Option<Pattern> {
        let (site, group) = (&draft.site, &draft.group);
        let called = site.calls > 0;
        // What only split mappings, or was refused, has no reservations.
        let has_none = !called && !group.pre_existing;
        if has_none || (!called && site.frames.is_empty()) {
            return None;
        }
        self.patterns.recognise(&Observation {
            frames: &site.frames,
            origin: group.origin.filter(|_| called),
            requested: group.sizes.span().filter(|_| called),
            settled: draft.settled.clone(),
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
