//! Who touched a range last on which ledger and kernel differ.

use std::collections::VecDeque;

use tracer_ledger::event::{Event, Pid};
use tracer_ledger::ledger::RangeDifference;

use super::record::Snapshot;

/// Calls of the recording that are printed for a range; of the program's own twice as many.
const TOUCHED_LAST: usize = 8;
/// All of the program's own calls are printed where there are no more.
const FEW_CALLS: usize = 4;

/// A difference, the calls of the recording that touched it last, and those that the program
/// wrote down itself since its last snapshot, the failed ones among them.
pub fn explain(recent: &VecDeque<Event>, snapshot: &Snapshot, difference: &RangeDifference) {
    let RangeDifference {
        start,
        end,
        ledger,
        kernel,
    } = difference;
    eprintln!(
        "  {start}-{end}: ledger {}, kernel {}",
        shown(*ledger),
        shown(*kernel)
    );
    let touches = |from: u64, to: u64| from < end.0 && start.0 < to;
    let recorded = recent.iter().rev().filter(|event| {
        ranges(event, snapshot.pid)
            .into_iter()
            .any(|(from, length)| touches(from, from + length.next_multiple_of(4096)))
    });
    let mut lines: Vec<_> = recorded.take(TOUCHED_LAST).map(described).collect();
    lines.reverse();
    for line in lines {
        eprintln!("    recorded {line}");
    }
    let own = snapshot.calls.iter().filter(|(_, numbers)| {
        let near = |address: &u64| touches(*address, address.saturating_add(256 << 12));
        snapshot.calls.len() <= FEW_CALLS || numbers.iter().any(near)
    });
    let own: Vec<_> = own.map(|(line, _)| line).collect();
    for line in &own[own.len().saturating_sub(2 * TOUCHED_LAST)..] {
        eprintln!("    {line}");
    }
}

fn shown(protection: Option<u8>) -> String {
    let Some(protection) = protection else {
        return "nothing".into();
    };
    let letter = |bit: u8, letter| if protection & bit != 0 { letter } else { '-' };
    [letter(1, 'r'), letter(2, 'w'), letter(4, 'x')]
        .iter()
        .collect()
}

/// An event in a line.
pub fn described(event: &Event) -> String {
    match event {
        Event::Call(call) => {
            let stamp = call.stamp;
            format!(
                "{} process {} thread {} {:x?}",
                stamp.time.0, stamp.pid, stamp.tid.0, call.action
            )
        }
        Event::Fault(fault) => {
            let (stamp, address) = (fault.stamp, fault.address);
            let (time, pid, tid) = (stamp.time.0, stamp.pid, stamp.tid.0);
            format!("{time} process {pid} thread {tid} fault at {address}")
        }
        Event::Fork(fork) => {
            let (time, pid, child) = (fork.stamp.time.0, fork.stamp.pid, fork.child);
            format!("{time} process {pid} made process {child}")
        }
        other => format!("{other:x?}"),
    }
}

/// The addresses that an event was about: first address and bytes. Of a `shmdt` the length is
/// unknown; the beginning of the process `of` is about all.
fn ranges(event: &Event, of: Pid) -> Vec<(u64, u64)> {
    let call = match event {
        Event::Call(call) => call,
        // What is below the first page of a mapping that grows down grows with it.
        Event::Fault(fault) => return vec![(fault.address.0 & !4095, 4096)],
        Event::Fork(fork) if fork.child == of => return vec![(0, u64::MAX >> 1)],
        _ => return Vec::new(),
    };
    let ranges = call.action.ranges().into_iter();
    ranges.map(|(address, bytes)| (address.0, bytes)).collect()
}
