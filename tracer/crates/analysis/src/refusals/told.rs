//! What the model says of one process's refusals.

use std::cmp::Reverse;

use super::SOON;
use super::kept::Group;
use crate::model::ending::Ending;
use crate::model::refused::{RefusalCause, Refused};
use tracer_ledger::bits::{EAGAIN, ENOMEM, EPERM};
use tracer_ledger::event::{RefusedCall, StackId};

/// A row of the model, and what it does not say.
#[derive(Clone, Debug)]
pub struct Told {
    /// The row.
    pub row: Refused,
    /// It was not had later, by whatever came instead.
    pub outstanding: bool,
}

/// What the kernel does without a call: a row's [`Refused::call`].
pub const STACK_GROWTH: &str = "stack growth";

/// The rows of a process: `site` and `by` say where a stack is and what it is called; `ending` and its moment how the
/// process ended, if it did. The most telling first.
#[must_use]
pub fn told(
    groups: &[Group],
    site: impl Fn(StackId) -> Option<u32>,
    by: impl Fn(u32) -> Option<String>,
    ending: Option<(&Ending, u64)>,
) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    for group in groups {
        let one = of_group(group, site(group.stack), ending);
        let same = all.iter_mut().find(|other| {
            let key = |row: &Refused| (row.call.clone(), row.errno.clone(), row.cause, row.site);
            key(&other.row) == key(&one.row)
        });
        match same {
            Some(other) => other.merge(one),
            None => all.push(one),
        }
    }
    for one in &mut all {
        one.row.by = one.row.site.and_then(&by);
    }
    sort(&mut all);
    all
}

/// The most telling first.
pub fn sort(all: &mut [Told]) {
    // Of several ways to the same memory, as with huge pages and without, only the last one counts.
    let tried: Vec<(Option<u32>, u64, u64)> = all
        .iter()
        .map(|Told { row, .. }| (row.site, row.last_ns, row.requested_bytes))
        .collect();
    let tried_again = |row: &Refused| {
        let again = |&(site, last, bytes): &(Option<u32>, u64, u64)| {
            site == row.site && last > row.last_ns && bytes >= row.requested_bytes / 2
        };
        row.site.is_some() && tried.iter().any(again)
    };
    all.sort_by_key(|one| {
        let row = &one.row;
        // The break is only one of several ways to the same memory.
        let aside = row.call == RefusedCall::Brk.name() || is_lock(row);
        let unknown = row.cause == RefusalCause::Unknown;
        Reverse((
            one.outstanding,
            row.ended_after,
            !unknown,
            !aside,
            !tried_again(row),
            row.requested_bytes,
            row.count,
        ))
    });
}

/// Who may not lock memory goes on without.
#[must_use]
pub fn is_lock(row: &Refused) -> bool {
    row.call == RefusedCall::Mlock.name()
}

/// It ended as nobody wants to end.
#[must_use]
pub fn is_abnormal(ending: &Ending) -> bool {
    ending.signal.is_some() || ending.code.is_some_and(|code| code != 0)
}

fn of_group(group: &Group, site: Option<u32>, ending: Option<(&Ending, u64)>) -> Told {
    let ended_after = ending.is_some_and(|(ending, end_ns)| {
        is_abnormal(ending) && end_ns.saturating_sub(group.last.0) <= SOON
    });
    // What only looks like another attempt has not helped one that died.
    let had = group.had.filter(|had| had.surely || !ended_after);
    Told {
        row: Refused {
            call: call(group),
            requested_bytes: group.largest,
            errno: errno(group.error),
            cause: group.cause.cause,
            limit: group.cause.limit,
            used: group.cause.used,
            site,
            by: None,
            count: group.count,
            first_ns: group.first.0,
            last_ns: group.last.0,
            had_instead_bytes: had.map(|had| had.bytes),
            ended_after,
        },
        outstanding: had.is_none(),
    }
}

impl Told {
    fn merge(&mut self, other: Self) {
        let (row, more) = (&mut self.row, other.row);
        if more.requested_bytes > row.requested_bytes {
            row.requested_bytes = more.requested_bytes;
            (row.limit, row.used) = (more.limit, more.used);
        }
        if more.last_ns >= row.last_ns {
            row.last_ns = more.last_ns;
            row.had_instead_bytes = more.had_instead_bytes;
            row.ended_after = more.ended_after;
            self.outstanding = other.outstanding;
        }
        row.count += more.count;
        row.first_ns = row.first_ns.min(more.first_ns);
    }
}

fn call(group: &Group) -> String {
    group.call.name().into()
}

fn errno(error: u16) -> String {
    match error {
        ENOMEM => "ENOMEM".into(),
        EAGAIN => "EAGAIN".into(),
        EPERM => "EPERM".into(),
        other => format!("errno {other}"),
    }
}
