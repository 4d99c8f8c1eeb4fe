//! What the old verdict has foretold of a knob, held against what has come.

use super::model::Prediction;
use super::processes::Pair;
use crate::analysis::summary::{Kind, Process};

/// For each kind of a process that has become smaller, and of which a size was foretold.
pub fn of<'a>(pair: &'a Pair<'_>) -> impl Iterator<Item = Prediction> + 'a {
    let both = pair.old.zip(pair.new);
    both.into_iter().flat_map(|(old, new)| {
        let kinds = old.verdict.kinds.iter();
        kinds.filter_map(move |kind| prediction(old, new, kind))
    })
}

fn prediction(old: &Process, new: &Process, kind: &Kind) -> Option<Prediction> {
    let left = new.verdict.kinds.iter().find(|other| other.id == kind.id);
    let left = left.map_or(0, |kind| kind.reserved_bytes);
    if left >= kind.reserved_bytes {
        return None;
    }
    let (from, to) = sizes(kind.knob_effect.as_deref()?)?;
    let less = from.checked_sub(to)?.saturating_mul(kind.live);
    let old_bytes = old.virtual_bytes.end;
    let predicted_bytes = old_bytes.checked_sub(less)?;
    let new_bytes = new.virtual_bytes.end;
    let deviation = new_bytes as f64 - predicted_bytes as f64;
    Some(Prediction {
        comm: new.comm.clone(),
        id: kind.id.clone(),
        name: kind.name.clone(),
        knob: kind.knob.clone()?,
        old_bytes,
        predicted_bytes,
        new_bytes,
        deviation_percent: deviation * 100.0 / predicted_bytes.max(1) as f64,
    })
}

/// `10 GiB become 4 GiB for each …`: how patterns say what a knob does to each reservation, if that is
/// known in figures. Anything else foretells no size.
fn sizes(effect: &str) -> Option<(u64, u64)> {
    let (from, rest) = effect.split_once(" become ")?;
    let (to, _) = rest.split_once(" for each ")?;
    let size = |text: &str| parse_size::parse_size(text).ok();
    Some((size(from)?, size(to)?))
}

#[cfg(test)]
mod tests {
    use super::sizes;

    #[test]
    fn only_an_effect_in_figures_foretells_a_size() {
        let gib = 1 << 30;
        let effect = "10 GiB become 4 GiB for each memory, or its maximum if it names one";
        assert_eq!(sizes(effect), Some((10 * gib, 4 * gib)));
        for effect in [
            "the heap reserves that size",
            "some become 4 GiB for each x",
            "",
        ] {
            assert_eq!(sizes(effect), None, "{effect}");
        }
    }
}
