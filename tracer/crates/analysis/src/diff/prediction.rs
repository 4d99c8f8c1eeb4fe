//! What the old verdict has foretold of a knob, held against what has come.

use super::model::Prediction;
use super::processes::Pair;
use crate::model::summary::{Kind, Process};

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
    let predicted_bytes = kind.predicted_virtual_bytes?;
    let old_bytes = old.virtual_at_work().end;
    let new_bytes = new.virtual_at_work().end;
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
