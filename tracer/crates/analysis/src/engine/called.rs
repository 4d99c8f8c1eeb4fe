//! What each call site is called, and its short id.

use crate::engine::draft::SiteDraft;
use crate::naming::fingerprint;
use crate::naming::folding::fold;
use crate::naming::wrappers::Wrappers;

/// Gives each site of a process its [`name`](crate::summary::Site::name), `where` and key.
pub fn call(sites: &mut [SiteDraft<'_>]) {
    let wrappers = Wrappers::of(sites.iter().map(|one| one.site.frames.as_slice()));
    for one in sites {
        one.called = fold(&one.site.frames, &wrappers);
        let site = &mut one.site;
        site.key = fingerprint::of(site).key();
        if !site.frames.is_empty() {
            site.name.clone_from(&one.called.short);
            site.place.clone_from(&one.called.location);
        }
    }
}
