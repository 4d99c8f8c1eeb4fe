//! Records of several CPUs to events in true order (DESIGN.md, rule 1).
//!
//! A release takes effect in the ledger as of its *begin*, all else as of its end: the kernel can hand
//! out an address again as soon as the call has begun, and cannot hand out what is not mapped yet.
//! A call's outcome is known only at its end; so nothing younger than a begin without an end is let
//! through. Three things bound the wait: the ring says up to when everything has been seen (the
//! *watermark*), a call ends, and at worst [`PATIENCE`] runs out, which is counted.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use tracer_common::header::Kind;

use crate::event::{
    Action, Address, Call, Event, Nanoseconds, StackId, Stamp, Tid,
    record::{RawBegin, RawCall},
};

/// The longest that a begun call may hold back others. A `munmap` of a hundred resident GiB takes
/// seconds; a thread whose end was lost would hold everything forever.
pub const PATIENCE: Nanoseconds = Nanoseconds(5_000_000_000);

/// `MREMAP_DONTUNMAP` (include/uapi/linux/mman.h): the old place stays mapped.
const MREMAP_DONTUNMAP: u32 = 4;
/// `MAP_ANONYMOUS` (include/uapi/asm-generic/mman-common.h).
const MAP_ANONYMOUS: u32 = 0x20;

#[derive(Debug)]
struct Waiting {
    time: Nanoseconds,
    /// Order of arrival, for events of the same time.
    sequence: u64,
    event: Event,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        (self.time, self.sequence) == (other.time, other.sequence)
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.time, self.sequence).cmp(&(other.time, other.sequence))
    }
}

/// Puts events in order.
#[derive(Debug, Default)]
pub struct Order {
    waiting: BinaryHeap<Reverse<Waiting>>,
    begun: HashMap<Tid, Nanoseconds>,
    sequence: u64,
    let_through: Nanoseconds,
    late: u64,
}

impl Order {
    /// An event that takes effect at `time`.
    pub fn push(&mut self, time: Nanoseconds, event: Event) {
        if time < self.let_through {
            self.late += 1;
        }
        self.sequence += 1;
        self.waiting.push(Reverse(Waiting {
            time,
            sequence: self.sequence,
            event,
        }));
    }

    /// A call that may release has begun.
    pub fn begin(&mut self, begin: RawBegin) {
        self.begun.insert(begin.stamp.tid, begin.stamp.time);
    }

    /// It has failed: it changed nothing.
    pub fn failed(&mut self, begin: RawBegin) {
        self.begun.remove(&begin.stamp.tid);
    }

    /// A call has succeeded; `stack` is what its stack word stands for.
    pub fn call(&mut self, call: RawCall, stack: StackId) {
        let begun = self.begun.remove(&call.stamp.tid);
        let early = Stamp {
            time: begun.unwrap_or(call.stamp.time),
            ..call.stamp
        };
        let mut release = |action| {
            let event = Event::Call(Call {
                stamp: early,
                stack,
                action,
                totals: None,
            });
            self.push(early.time, event);
        };
        let RawCall {
            address, length, ..
        } = call;
        let action = match call.kind {
            Kind::Munmap => {
                release(Action::Unmap { address, length });
                return self.done(&call);
            }
            Kind::Shmdt => {
                release(Action::Detach { address });
                return self.done(&call);
            }
            Kind::Brk if begun.is_some() => {
                release(brk(address, length));
                return self.done(&call);
            }
            Kind::Mremap => {
                let [new_address, new_length] = call.extra.unwrap_or_default();
                let new_address = Address(new_address);
                let moves = new_address != address && call.flags & MREMAP_DONTUNMAP == 0;
                if new_length < length && length != 0 {
                    release(Action::RemapLeave {
                        address: Address(address.0 + new_length),
                        length: length - new_length,
                        moves: false,
                    });
                }
                if moves && length != 0 {
                    release(Action::RemapLeave {
                        address,
                        length: length.min(new_length),
                        moves: true,
                    });
                }
                Action::RemapArrive {
                    old_address: address,
                    old_length: length,
                    new_address,
                    new_length,
                    flags: call.flags,
                }
            }
            Kind::Brk => brk(address, length),
            Kind::Mprotect => Action::Protect {
                address,
                length,
                protection: call.protection,
            },
            Kind::Madvise => Action::Advise {
                address,
                length,
                advice: call.flags,
            },
            Kind::Shmat => Action::Attach {
                address,
                length,
                flags: call.flags,
            },
            Kind::RemapFilePages => Action::RemapFilePages { address, length },
            // The decoder makes a `RawCall` of no other kind.
            _ => Action::Map {
                address,
                length,
                protection: call.protection,
                flags: call.flags,
                file_offset: call
                    .extra
                    .filter(|_| call.flags & MAP_ANONYMOUS == 0)
                    .map(|extra| extra[0]),
            },
        };
        let event = Event::Call(Call {
            stamp: call.stamp,
            stack,
            action,
            totals: Some(call.totals),
        });
        self.push(call.stamp.time, event);
    }

    /// The end of a call whose effect was placed at its begin.
    fn done(&mut self, call: &RawCall) {
        let event = Event::Call(Call {
            stamp: call.stamp,
            stack: StackId::NONE,
            action: Action::Done,
            totals: Some(call.totals),
        });
        self.push(call.stamp.time, event);
    }

    /// The next event in order, given that everything older than `watermark` has been pushed.
    pub fn pop(&mut self, watermark: Nanoseconds) -> Option<Event> {
        let mut limit = watermark;
        if let Some(oldest) = self.begun.values().min().copied()
            && oldest < watermark
        {
            if watermark.0 - oldest.0 > PATIENCE.0 {
                self.begun
                    .retain(|_, begun| watermark.0.saturating_sub(begun.0) <= PATIENCE.0);
                self.late += 1;
                return self.pop(watermark);
            }
            limit = oldest;
        }
        let first = self.waiting.peek()?;
        if first.0.time >= limit {
            return None;
        }
        let Reverse(first) = self.waiting.pop()?;
        self.let_through = self.let_through.max(first.time);
        Some(first.event)
    }

    /// All that is left up to and including `end`, in order: at the end of a trace, when nothing
    /// older will come.
    pub fn finish(&mut self, end: Nanoseconds) -> impl Iterator<Item = Event> + '_ {
        self.begun.clear();
        std::iter::from_fn(move || self.pop(Nanoseconds(end.0 + 1)))
    }

    /// Ends of begun calls may have been lost: waits for none of those begun before now.
    pub fn forget_begun(&mut self) {
        self.begun.clear();
    }

    /// Takes the number of events that could not be put in their place since the last call.
    pub fn take_late(&mut self) -> u64 {
        std::mem::take(&mut self.late)
    }

    /// Events held back.
    #[must_use]
    pub fn held(&self) -> usize {
        self.waiting.len()
    }
}

fn brk(start: Address, length: u64) -> Action {
    Action::Break {
        start,
        end: Address(start.0 + length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Pid, SpaceId, Totals, record::StackWord};

    fn stamp(time: u64, tid: u32) -> Stamp {
        Stamp {
            time: Nanoseconds(time),
            space: SpaceId(1),
            pid: Pid(1),
            tid: Tid(tid),
            cpu: 0,
        }
    }

    fn raw(kind: Kind, time: u64, tid: u32, address: u64, length: u64) -> RawCall {
        RawCall {
            stamp: stamp(time, tid),
            kind,
            protection: 0,
            flags: MAP_ANONYMOUS,
            address: Address(address),
            length,
            stack: StackWord::None,
            totals: Totals::default(),
            extra: None,
        }
    }

    fn begin(kind: Kind, time: u64, tid: u32) -> RawBegin {
        RawBegin {
            stamp: stamp(time, tid),
            kind,
        }
    }

    fn actions(order: &mut Order, watermark: u64) -> Vec<Action> {
        std::iter::from_fn(|| order.pop(Nanoseconds(watermark)))
            .filter_map(|event| match event {
                Event::Call(call) => Some(call.action),
                _ => None,
            })
            .filter(|action| *action != Action::Done)
            .collect()
    }

    fn map(address: u64, length: u64) -> Action {
        Action::Map {
            address: Address(address),
            length,
            protection: 0,
            flags: MAP_ANONYMOUS,
            file_offset: None,
        }
    }

    fn unmap(address: u64, length: u64) -> Action {
        Action::Unmap {
            address: Address(address),
            length,
        }
    }

    #[test]
    fn a_map_that_got_the_addresses_of_an_unfinished_unmap_comes_after_it() {
        let mut order = Order::default();
        order.begin(begin(Kind::Munmap, 10, 1));
        // Thread 2 is given the range and returns before thread 1 does.
        order.call(raw(Kind::Mmap, 20, 2, 0x1000, 4096), StackId(2));
        assert_eq!(actions(&mut order, 25), []);
        order.call(raw(Kind::Munmap, 30, 1, 0x1000, 4096), StackId::NONE);
        assert_eq!(
            actions(&mut order, 40),
            [unmap(0x1000, 4096), map(0x1000, 4096)]
        );
    }

    #[test]
    fn a_failed_unmap_changes_nothing_and_holds_nothing_back() {
        let mut order = Order::default();
        order.begin(begin(Kind::Munmap, 10, 1));
        order.call(raw(Kind::Mmap, 20, 2, 0x1000, 4096), StackId(2));
        order.failed(begin(Kind::Munmap, 30, 1));
        assert_eq!(actions(&mut order, 40), [map(0x1000, 4096)]);
    }

    #[test]
    fn nothing_younger_than_the_watermark_comes_out() {
        let mut order = Order::default();
        order.call(raw(Kind::Mmap, 20, 1, 0x1000, 4096), StackId::NONE);
        assert_eq!(actions(&mut order, 20), []);
        order.call(raw(Kind::Mmap, 10, 2, 0x2000, 4096), StackId::NONE);
        assert_eq!(
            actions(&mut order, 21),
            [map(0x2000, 4096), map(0x1000, 4096)]
        );
        assert_eq!(order.take_late(), 0);
    }

    #[test]
    fn what_comes_behind_the_watermark_is_counted_as_late() {
        let mut order = Order::default();
        order.call(raw(Kind::Mmap, 20, 1, 0x1000, 4096), StackId::NONE);
        assert_eq!(actions(&mut order, 30).len(), 1);
        order.call(raw(Kind::Mmap, 10, 2, 0x2000, 4096), StackId::NONE);
        assert_eq!(actions(&mut order, 30).len(), 1);
        assert_eq!(order.take_late(), 1);
    }

    #[test]
    fn a_begin_whose_end_never_comes_is_given_up_and_counted() {
        let mut order = Order::default();
        order.begin(begin(Kind::Munmap, 10, 1));
        order.call(raw(Kind::Mmap, 20, 2, 0x1000, 4096), StackId(2));
        assert_eq!(actions(&mut order, 10 + PATIENCE.0), []);
        assert_eq!(actions(&mut order, 11 + PATIENCE.0), [map(0x1000, 4096)]);
        assert_eq!(order.take_late(), 1);
    }

    #[test]
    fn an_mremap_that_moves_leaves_at_its_begin_and_arrives_at_its_end() {
        let mut order = Order::default();
        order.begin(begin(Kind::Mremap, 10, 1));
        order.call(raw(Kind::Mmap, 20, 2, 0x1000, 4096), StackId(2));
        let mut call = raw(Kind::Mremap, 30, 1, 0x1000, 4096);
        call.extra = Some([0x9000, 8192]);
        order.call(call, StackId(1));
        let got = actions(&mut order, 40);
        assert_eq!(
            got[0],
            Action::RemapLeave {
                address: Address(0x1000),
                length: 4096,
                moves: true
            }
        );
        assert_eq!(got[1], map(0x1000, 4096));
        assert!(matches!(got[2], Action::RemapArrive { .. }));
    }

    #[test]
    fn an_mremap_that_shrinks_releases_its_tail_at_its_begin() {
        let mut order = Order::default();
        order.begin(begin(Kind::Mremap, 10, 1));
        let mut call = raw(Kind::Mremap, 30, 1, 0x1000, 8192);
        call.extra = Some([0x1000, 4096]);
        order.call(call, StackId(1));
        assert_eq!(
            actions(&mut order, 40)[0],
            Action::RemapLeave {
                address: Address(0x2000),
                length: 4096,
                moves: false
            }
        );
    }

    #[test]
    fn a_heap_that_shrinks_does_so_at_its_begin() {
        let mut order = Order::default();
        order.begin(begin(Kind::Brk, 10, 1));
        order.call(raw(Kind::Mmap, 20, 2, 0x8000, 4096), StackId(2));
        order.call(raw(Kind::Brk, 30, 1, 0x1000, 4096), StackId::NONE);
        assert!(matches!(
            actions(&mut order, 40)[..],
            [Action::Break { .. }, Action::Map { .. }]
        ));
    }

    #[test]
    fn at_the_end_everything_comes_out() {
        let mut order = Order::default();
        order.begin(begin(Kind::Munmap, 10, 1));
        order.call(raw(Kind::Mmap, 20, 2, 0x1000, 4096), StackId(2));
        assert_eq!(order.finish(Nanoseconds(20)).count(), 1);
        assert_eq!(order.held(), 0);
    }
}
