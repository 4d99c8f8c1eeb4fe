//! What is kept of one run's refusals: by call, errno, cause and stack, in bounded memory.

use super::SOON;
use super::cause::Cause;
use crate::accounts::time::TraceTime;
use tracer_ledger::bits::{
    CLONE_THREAD, MAP_32BIT, MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_HUGE_MASK,
    MAP_HUGE_SHIFT, MAP_HUGETLB, MAP_LOCKED, MAP_NORESERVE, MAP_POPULATE, MAP_PRIVATE,
    PROT_READ_WRITE,
};
use tracer_ledger::event::{Action, Call, Refused, RefusedCall, StackId, Tid};

/// Stacks that refusals are told apart by: a hostile process could make any number. What comes later shares a group
/// without one.
const MOST: usize = 64;
/// Who is refused asks for less by halves, or thirds: what is smaller than this part of it is for something else.
const LESS: u64 = 16;

/// Flags of `mmap` in which a second attempt may differ from the first: where, and how.
const NOT_COMPARED: u32 = MAP_FIXED
    | MAP_32BIT
    | MAP_FIXED_NOREPLACE
    | MAP_LOCKED
    | MAP_NORESERVE
    | MAP_POPULATE
    | MAP_HUGETLB
    | MAP_HUGE_MASK << MAP_HUGE_SHIFT;

/// The refusals of one run.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    groups: Vec<Group>,
}

/// Refusals that are alike.
#[derive(Clone, Debug)]
pub struct Group {
    /// Which call.
    pub call: RefusedCall,
    /// `errno`.
    pub error: u16,
    /// Why: as it was of the largest.
    pub cause: Cause,
    /// With this stack; [`StackId::NONE`]: it was lost, or there were too many.
    pub stack: StackId,
    /// `clone` of a thread, not of a process.
    pub thread: bool,
    /// How often.
    pub count: u64,
    /// The first.
    pub first: TraceTime,
    /// The last.
    pub last: TraceTime,
    /// The most that one asked for, bytes.
    pub largest: u64,
    /// What was had after the last, bytes (0 of a thread or process); `None`: nothing was.
    pub had: Option<Had>,
    /// Of the last one that was told.
    asked: Asked,
    /// When the like of it last worked, and how much that was.
    worked: Option<(TraceTime, Had)>,
}

/// What was had instead of what had been refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Had {
    /// How much, bytes.
    pub bytes: u64,
    /// By the very same code, so that it is another attempt beyond doubt.
    pub surely: bool,
}

/// What a refused call asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    tid: Tid,
    bytes: u64,
    protection: u8,
    flags: u32,
}

impl Refusals {
    /// A call was refused: the number of the group that it is in.
    pub fn refused(&mut self, refused: &Refused, cause: Cause, time: TraceTime) -> usize {
        let full = self.groups.len() >= MOST;
        let index = self.find(refused, cause, refused.stack).unwrap_or_else(|| {
            let stack = if full { StackId::NONE } else { refused.stack };
            self.find(refused, cause, stack).unwrap_or_else(|| {
                self.groups.push(Group::new(refused, cause, stack, time));
                self.groups.len() - 1
            })
        });
        if let Some(group) = self.groups.get_mut(index) {
            group.add(refused, cause, time);
        }
        index
    }

    fn find(&self, refused: &Refused, cause: Cause, stack: StackId) -> Option<usize> {
        self.groups.iter().position(|group| {
            (group.call, group.error, group.cause.cause)
                == (refused.call, refused.error, cause.cause)
                && group.stack == stack
        })
    }

    /// So many more than were told one by one.
    pub fn again(&mut self, group: usize, more: u64, last: TraceTime) {
        if let Some(group) = self.groups.get_mut(group) {
            group.count += more;
            if last > group.last {
                group.last = last;
                // In between nothing was told: what has worked since is all that is known.
                group.had = group
                    .worked
                    .filter(|(time, _)| *time >= last)
                    .map(|(_, had)| had);
            }
        }
    }

    /// A call worked.
    pub fn worked(&mut self, call: &Call, time: TraceTime) {
        for group in &mut self.groups {
            if let Some(had) = group.had_by(call) {
                group.had_one(had, time);
            }
        }
    }

    /// A thread, or a process, was made.
    pub fn made_task(&mut self, thread: bool, time: TraceTime) {
        let had = Had {
            bytes: 0,
            surely: false,
        };
        for group in &mut self.groups {
            if group.call == RefusedCall::Clone && group.thread == thread {
                group.had_one(had, time);
            }
        }
    }

    /// All of them.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }
}

impl Group {
    fn new(refused: &Refused, cause: Cause, stack: StackId, time: TraceTime) -> Self {
        Self {
            call: refused.call,
            error: refused.error,
            cause,
            stack,
            thread: refused.call == RefusedCall::Clone && refused.flags & CLONE_THREAD != 0,
            count: 0,
            first: time,
            last: time,
            largest: 0,
            had: None,
            asked: Asked::default(),
            worked: None,
        }
    }

    fn add(&mut self, refused: &Refused, cause: Cause, time: TraceTime) {
        self.count += 1;
        self.last = self.last.max(time);
        if refused.requested_bytes >= self.largest {
            self.largest = refused.requested_bytes;
            self.cause = cause;
        }
        self.had = None;
        self.asked = Asked {
            tid: refused.stamp.tid,
            bytes: refused.requested_bytes,
            protection: refused.protection,
            flags: refused.flags,
        };
    }

    fn had_one(&mut self, had: Had, time: TraceTime) {
        self.worked = Some((time, had));
        if time.since(self.last) <= SOON {
            self.had.get_or_insert(had);
        }
    }

    /// Whether a call that worked was another attempt at what this one asked for.
    fn had_by(&self, call: &Call) -> Option<Had> {
        let (bytes, alike) = self.likeness(&call.action)?;
        let surely = alike && call.stack == self.stack && self.stack != StackId::NONE;
        let by_size =
            call.stamp.tid == self.asked.tid && bytes.saturating_mul(LESS) >= self.asked.bytes;
        (surely || by_size).then_some(Had { bytes, surely })
    }

    /// How much a call took, and whether it is the same call; `None`: it is for something else.
    fn likeness(&self, action: &Action) -> Option<(u64, bool)> {
        match (self.call, action) {
            (
                RefusedCall::Mmap,
                &Action::Map {
                    length,
                    protection,
                    flags,
                    ..
                },
            ) => {
                let asked = self.asked;
                let same = protection == asked.protection
                    && flags & !NOT_COMPARED == asked.flags & !NOT_COMPARED;
                same.then_some((length, true))
            }
            // malloc has other ways to come by memory than the heap, realloc than to move.
            (
                RefusedCall::Brk | RefusedCall::Mremap,
                &Action::Map {
                    length,
                    protection: PROT_READ_WRITE,
                    flags,
                    ..
                },
            ) if flags & !NOT_COMPARED == MAP_PRIVATE | MAP_ANONYMOUS => Some((length, false)),
            (RefusedCall::Brk, Action::Break { old, new }) if new > old => {
                Some((new.0 - old.0, true))
            }
            (
                RefusedCall::Mremap,
                Action::Remap {
                    old_length,
                    new_length,
                    ..
                },
            ) if new_length > old_length => Some((new_length - old_length, true)),
            (RefusedCall::Mprotect, &Action::Protect { length, .. })
            | (RefusedCall::Munmap, &Action::Unmap { length, .. })
            | (RefusedCall::Madvise, &Action::Advise { length, .. })
            | (RefusedCall::Shmat, &Action::Attach { length, .. }) => Some((length, true)),
            _ => None,
        }
    }
}
