//! What changes it: knobs of the runtime, or the limit that refused. Of a leak none: a knob would hide it.

use super::Judged;
use crate::model::summary::{Kind, Level, RefusalCause, Refused, Remedy};
use crate::verdict::facts::Facts;
use crate::verdict::suspects::{SiteFacts, Sum};
use crate::verdict::victim;
use crate::words::units::bytes;

/// A knob is worth turning from here on, bytes, and for so much of all that is mapped (one in so many).
const WORTH_TURNING: (u64, u64) = (256 << 20, 4);
/// The same where a limit is near or was hit.
const WORTH_TURNING_NEAR: (u64, u64) = (64 << 20, 8);
/// The most that are offered.
const OFFERED: usize = 3;

/// The knobs, the one that changes the most first.
pub fn change(facts: &Facts<'_>, judged: &Judged<'_>) -> Vec<Remedy> {
    let leak = Sum::of(judged.leaking.iter().copied());
    let is_memory = judged.level == Level::Leak && leak.is_what() != "address space";
    // What only changes address space gives no memory back.
    if is_memory || victim::oom_kill(facts).is_some() {
        return Vec::new();
    }
    let limit = victim::head(facts).and_then(|one| raised(&one.row));
    let kinds = judged.before.map_or(judged.kinds, |before| &before.kinds);
    let is_near = limit.is_some() || facts.harms.iter().any(|harm| harm.near);
    // Where something grows, only what it is made of is worth a knob.
    let growing = [judged.leaking, judged.watched].concat();
    let is_of = |one: &&SiteFacts<'_>, kind: &Kind| {
        let pattern = one.site.pattern.as_ref();
        pattern.is_some_and(|pattern| pattern.id == kind.id)
    };
    let concerned = |kind: &&Kind| growing.is_empty() || growing.iter().any(|one| is_of(one, kind));
    let kinds: Vec<Kind> = kinds.iter().filter(concerned).cloned().collect();
    let knobs = knobs(&kinds, facts.virtual_bytes.end, is_near);
    limit.into_iter().chain(knobs).take(OFFERED).collect()
}

/// The knobs of these kinds, of a process of so many mapped bytes that may be near to a limit.
pub fn knobs(kinds: &[Kind], virtual_bytes: u64, is_near: bool) -> Vec<Remedy> {
    let (least, part) = if is_near {
        WORTH_TURNING_NEAR
    } else {
        WORTH_TURNING
    };
    let worth = |kind: &&Kind| kind.reserved_bytes >= least.max(virtual_bytes / part);
    let knobs = kinds.iter().filter(worth).filter_map(|kind| {
        let effect = kind.knob_effect.as_ref();
        Some(Remedy {
            knob: kind.knob.clone()?,
            effect: effect.map_or_else(
                || kind.name.clone(),
                |effect| format!("{}: {effect}", kind.name),
            ),
            predicted_virtual_bytes: kind.predicted_virtual_bytes,
        })
    });
    knobs.take(OFFERED).collect()
}

/// The limit, raised by what would have been enough for this call.
fn raised(row: &Refused) -> Option<Remedy> {
    let enough = row.used.unwrap_or(0).saturating_add(row.requested_bytes);
    let shell = |option: char| {
        let kib = enough.div_ceil(1024);
        Some((
            format!("ulimit -{option} {kib}"),
            format!("{}, the least that lets this call through", bytes(enough)),
        ))
    };
    let (knob, effect) = match row.cause {
        RefusalCause::RlimitAs => shell('v'),
        RefusalCause::RlimitData => shell('d'),
        RefusalCause::RlimitMemlock => shell('l'),
        RefusalCause::RlimitStack => row.limit.map(|limit| {
            let twice = limit.saturating_mul(2);
            (
                format!("ulimit -s {}", twice / 1024),
                bytes(twice) + ", twice as much",
            )
        }),
        RefusalCause::MaxMapCount => row.limit.map(|limit| {
            let twice = limit.saturating_mul(2);
            let knob = format!("sysctl -w vm.max_map_count={twice}");
            (knob, "twice as many, for all processes".into())
        }),
        RefusalCause::RlimitNproc => Some((
            "ulimit -u".into(),
            "more processes and threads for this user".into(),
        )),
        RefusalCause::Pids => Some((
            "pids.max".into(),
            "more processes and threads for its control group".into(),
        )),
        RefusalCause::Overcommit => Some((
            "vm.overcommit_memory".into(),
            "how much may be promised; or more swap".into(),
        )),
        RefusalCause::HugetlbPool => Some((
            "vm.nr_hugepages".into(),
            "more huge pages in the pool".into(),
        )),
        RefusalCause::AddressSpace | RefusalCause::Unknown => None,
    }?;
    Some(Remedy {
        knob,
        effect,
        predicted_virtual_bytes: None,
    })
}
