//! What sites add up to, before and after.

use super::model::{Change, Figures};
use crate::model::summary::Site;

/// One figure of a site; `None`: not known.
type SiteFigure = fn(&Site) -> Option<u64>;

/// Of the sites before and after; none at all add up to nothing.
#[must_use]
pub fn figures(old: &[&Site], new: &[&Site]) -> Figures {
    let change = |figure: SiteFigure| Change::of(sum(old, figure), sum(new, figure));
    Figures {
        reserved_bytes: change(|site| Some(site.reserved_bytes)),
        accessible_bytes: change(|site| Some(site.accessible_bytes)),
        touched_bytes: change(|site| site.touched_bytes),
        resident_bytes: change(|site| site.resident_bytes),
        charged_bytes: change(|site| Some(site.charged_bytes)),
        released_bytes: change(|site| Some(site.released_bytes)),
        calls: change(|site| Some(site.calls)),
        live: change(|site| Some(site.live)),
        refused: change(|site| Some(site.refused)),
    }
}

fn sum(sites: &[&Site], figure: SiteFigure) -> Option<u64> {
    sites.iter().try_fold(0u64, |sum, site| {
        figure(site).map(|value| sum.saturating_add(value))
    })
}
