//! Call sites by what they have in common: the kind of reservation, the threads that called, the module whose code
//! asked.

use std::collections::HashMap;

use crate::folding::Folded;
use crate::selection::By;
use tracer_analysis::summary::Site;

/// Some sites of a process, and what they have in common.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// That, in words.
    pub name: String,
    /// In the order in which they came; at least one.
    pub sites: Vec<&'a Site>,
}

/// The groups, in the order of their first sites. Sites by themselves are no group: they go by their modules.
#[must_use]
pub fn grouped<'a>(sites: &[(&'a Site, Folded)], by: By) -> Vec<Group<'a>> {
    let name: fn(&Site, &Folded) -> String = match by {
        By::Pattern => |site, _| kind(site),
        By::Thread => |site, _| threads(site),
        By::Site | By::Module => |_, folded| module(folded),
    };
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (site, folded) in sites {
        let name = name(site, folded);
        let place = *places.entry(name.clone()).or_insert_with(|| {
            let sites = Vec::new();
            groups.push(Group { name, sites });
            groups.len() - 1
        });
        groups[place].sites.push(site);
    }
    groups
}

fn kind(site: &Site) -> String {
    let pattern = site.pattern.as_ref();
    pattern.map_or_else(|| "of no known kind".into(), |pattern| pattern.name.clone())
}

fn threads(site: &Site) -> String {
    if site.thread_names.is_empty() {
        "?".into()
    } else {
        site.thread_names.join(", ")
    }
}

fn module(folded: &Folded) -> String {
    folded.module.clone().unwrap_or_else(|| "?".into())
}

#[cfg(test)]
mod tests {
    use super::{By, Folded, Site, grouped};

    #[test]
    fn groups_come_in_the_order_of_their_first_sites() {
        let site = |id, threads: &[&str]| Site {
            id,
            thread_names: threads.iter().map(|name| (*name).to_owned()).collect(),
            ..Site::default()
        };
        let sites = [site(1, &["a", "b"]), site(2, &[]), site(3, &["a", "b"])];
        let folded: Vec<_> = sites.iter().map(|site| (site, Folded::default())).collect();
        let named = |by| {
            let groups = grouped(&folded, by).into_iter();
            let ids = |group: super::Group<'_>| {
                let ids = group.sites.iter().map(|site| site.id).collect::<Vec<_>>();
                (group.name, ids)
            };
            groups.map(ids).collect::<Vec<_>>()
        };
        let by_thread = [("a, b".to_owned(), vec![1, 3]), ("?".to_owned(), vec![2])];
        assert_eq!(named(By::Thread), by_thread);
        let together = |name: &str| [(name.to_owned(), vec![1, 2, 3])];
        assert_eq!(named(By::Pattern), together("of no known kind"));
        assert_eq!(named(By::Module), together("?"));
    }
}
