//! The rows of a process's tables: sites, and what is read together with them.
//!
//! Two kinds of sites share a row, unless everything is asked for: those that read the same (calls from
//! two lines of one allocator), and those that one allocator makes for everybody ([`known::row`]).

use std::collections::HashMap;

use super::figures::Figures;
use super::folding::{Folded, fold};
use super::selection::Candidate;
use super::wrappers::Wrappers;
use tracer_analysis::known;
use tracer_analysis::summary::{Process, Site, Verdict};

/// Through a pool, this many sites and more are one row.
const MANY: usize = 3;

/// One row.
#[derive(Clone, Debug)]
pub struct SiteRow<'a> {
    /// Its sites, largest first; at least one.
    pub sites: Vec<&'a Site>,
    /// What they have in common: how they read, or a pool.
    pub common: Common,
    figures: Figures,
    pointed_out: bool,
}

/// What the sites of a row have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Common {
    /// They read like this.
    Stack(Folded),
    /// They take memory for this, by its name.
    Pool(&'static str),
}

impl Candidate for SiteRow<'_> {
    fn figures(&self) -> &Figures {
        &self.figures
    }

    fn sites(&self) -> u64 {
        self.sites.len() as u64
    }

    fn is_pointed_out(&self) -> bool {
        self.pointed_out
    }
}

/// Marks the rows that a verdict is about.
pub fn point_out(rows: &mut [SiteRow<'_>], verdict: &Verdict) {
    let is_named = |site: &&Site| verdict.who.iter().any(|who| who.site == site.key);
    for row in rows {
        row.pointed_out = row.sites.iter().any(is_named);
    }
}

/// Sites made by the process, each with its folded stack.
#[must_use]
pub fn folded(process: &Process) -> Vec<(&Site, Folded)> {
    let wrappers = Wrappers::of(process.sites.iter().map(|site| site.frames.as_slice()));
    let own = process.sites.iter().filter(|site| !site.pre_existing);
    own.map(|site| (site, fold(&site.frames, &wrappers)))
        .collect()
}

/// Sites in rows; each its own if `apart`.
#[must_use]
pub fn rows<'a>(sites: Vec<(&'a Site, Folded)>, apart: bool) -> Vec<SiteRow<'a>> {
    let pool_of = |site: &Site| {
        if apart {
            None
        } else {
            known::row(&site.frames)
        }
    };
    let mut through: HashMap<&str, usize> = HashMap::new();
    for pool in sites.iter().filter_map(|(site, _)| pool_of(site)) {
        *through.entry(pool).or_default() += 1;
    }
    let mut found: HashMap<(Common, Option<String>), usize> = HashMap::new();
    let mut grouped: Vec<(Common, Vec<&Site>)> = Vec::new();
    for (site, folded) in sites {
        let common = match pool_of(site) {
            Some(pool) if through[pool] >= MANY => Common::Pool(pool),
            _ => Common::Stack(folded),
        };
        let nameless = common == Common::Stack(Folded::default());
        if apart || nameless {
            grouped.push((common, vec![site]));
            continue;
        }
        let pattern = site.pattern.as_ref().map(|pattern| pattern.id.clone());
        let index = *found.entry((common.clone(), pattern)).or_insert_with(|| {
            grouped.push((common, Vec::new()));
            grouped.len() - 1
        });
        grouped[index].1.push(site);
    }
    grouped
        .into_iter()
        .map(|(common, sites)| SiteRow {
            figures: Figures::of(&sites),
            sites,
            common,
            pointed_out: false,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Common, rows};
    use crate::folding::fold;
    use crate::wrappers::Wrappers;
    use tracer_analysis::summary::Site;
    use tracer_ledger::event::{Frame, StackQuality};

    fn site(id: u32, stack: &[&str], offset: u64) -> Site {
        let frames = stack.iter().map(|name| Frame {
            function: Some((*name).into()),
            module: Some("/srv/server".into()),
            offset,
            ..Frame::default()
        });
        Site {
            id,
            frames: frames.collect(),
            stack: StackQuality::Complete,
            calls: 1,
            live: 1,
            reserved_bytes: 100 - u64::from(id),
            touched_bytes: Some(1),
            resident_bytes: (id != 3).then_some(1),
            ..Site::default()
        }
    }

    /// The ids in each row, and whether it is a pool's.
    fn rows_of(sites: &[Site], apart: bool) -> Vec<(Vec<u32>, bool)> {
        let wrappers = Wrappers::of(sites.iter().map(|site| site.frames.as_slice()));
        let folded = sites
            .iter()
            .map(|site| (site, fold(&site.frames, &wrappers)));
        rows(folded.collect(), apart)
            .iter()
            .map(|row| {
                let ids = row.sites.iter().map(|site| site.id).collect();
                (ids, row.common == Common::Pool("glibc malloc arenas"))
            })
            .collect()
    }

    #[test]
    fn sites_that_read_the_same_are_one_row_unless_all_are_asked_for() {
        let sites = [
            site(1, &["mmap", "load"], 1),
            site(2, &["mmap", "save"], 2),
            site(3, &["mmap", "load"], 3),
        ];
        assert_eq!(
            rows_of(&sites, false),
            [(vec![1, 3], false), (vec![2], false)]
        );
        assert_eq!(rows_of(&sites, true).len(), 3);
    }

    #[test]
    fn three_sites_through_a_pool_are_one_row_and_two_are_not() {
        let arena = |id, name| site(id, &["mmap", "_int_new_arena", "malloc", name], 1);
        let sites = [arena(1, "a"), site(2, &["mmap", "b"], 1), arena(3, "c")];
        assert_eq!(rows_of(&sites, false).len(), 3);
        let sites = [arena(1, "a"), arena(2, "b"), arena(3, "c")];
        assert_eq!(rows_of(&sites, false), [(vec![1, 2, 3], true)]);
        assert_eq!(rows_of(&sites, true).len(), 3);
    }

    #[test]
    fn sites_without_a_stack_have_nothing_in_common() {
        assert_eq!(rows_of(&[site(1, &[], 0), site(2, &[], 0)], false).len(), 2);
    }

    #[test]
    fn a_sum_of_which_a_part_is_unknown_is_unknown() {
        let sites = [site(1, &["f"], 0), site(3, &["f"], 1)];
        let folded = sites.iter().map(|site| (site, Default::default()));
        let rows = rows(folded.collect(), false);
        assert_eq!(rows.len(), 2);
        let sum = crate::figures::Figures::of(&sites.iter().collect::<Vec<_>>());
        assert_eq!(sum.resident, None);
        assert_eq!(sum.touched, Some(2));
        assert_eq!(rows[0].figures().resident, Some(1));
    }
}
