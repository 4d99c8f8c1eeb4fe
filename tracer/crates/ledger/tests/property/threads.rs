//! Calls of racing threads: each takes effect at its turn and returns some time later, and their records
//! come in the order of the returns. Put in order again, they leave the ledger and the page array one.

use tracer_common::kind::Kind;
use tracer_ledger::event::{
    Action, Address, Call, Event, Nanoseconds,
    record::{RawCall, RawFailed, StackWord, Turn},
};
use tracer_ledger::order::Order;

use crate::{kept::Kept, machine::Machine, step::*, wire::stamp};

/// Calls that may be under way at a time.
const THREADS: usize = 8;
/// The longest that a call takes: as long as so many others.
const LONGEST: u64 = 20 * 10;

/// A call that has not returned yet.
struct UnderWay {
    returns: u64,
    call: Call,
    turn: Turn,
}

/// The threads of the model, and the tracer that watches them.
pub struct Threads {
    order: Order,
    under_way: Vec<UnderWay>,
    turns: u64,
    /// How often a record came before that of an earlier turn.
    pub overtaken: u64,
    newest: u64,
}

impl Threads {
    pub fn new() -> Self {
        Self {
            order: Order::default(),
            under_way: Vec::new(),
            turns: 0,
            overtaken: 0,
            newest: 0,
        }
    }

    /// The machine does a step; `delay` is how long the call takes, if it is one.
    pub fn step(&mut self, machine: &mut Machine, kept: &mut Kept, step: &Step, delay: u64) {
        let before = machine.pages.iter().flatten().count() as u64;
        for event in machine.step(step) {
            let now = machine.time;
            match event {
                Event::Call(call) if takes_a_turn(&call.action) => {
                    if self.under_way.len() == THREADS {
                        self.settle(now, kept);
                    }
                    self.turns += 1;
                    let turn = Turn {
                        number: self.turns,
                        time: Nanoseconds(now),
                    };
                    let mut call = call;
                    call.totals = Some(tracer_ledger::event::Totals {
                        total_pages: before,
                        stack_pages: 0,
                    });
                    self.under_way.push(UnderWay {
                        returns: now + 1 + delay % LONGEST,
                        call,
                        turn,
                    });
                }
                // Whoever touches a page has seen its call return.
                other => {
                    self.settle(now, kept);
                    self.order.push(Nanoseconds(now), other);
                }
            }
        }
        self.deliver(machine.time, kept);
    }

    /// All calls return.
    pub fn settle(&mut self, now: u64, kept: &mut Kept) {
        for call in &mut self.under_way {
            call.returns = call.returns.min(now);
        }
        self.deliver(now, kept);
    }

    /// The records of those that have returned by now come, and what is in order is entered.
    fn deliver(&mut self, now: u64, kept: &mut Kept) {
        self.under_way.sort_by_key(|call| call.returns);
        let returned = self.under_way.partition_point(|call| call.returns <= now);
        for call in self.under_way.drain(..returned) {
            self.overtaken += u64::from(call.turn.number < self.newest);
            self.newest = self.newest.max(call.turn.number);
            arrive(&mut self.order, call);
        }
        while let Some(event) = self.order.pop(Nanoseconds(now + 1)) {
            kept.apply(&event);
        }
    }

    /// Nothing is held back, and nothing came too late.
    pub fn check(&mut self) {
        assert_eq!((self.order.held(), self.order.take_late()), (0, 0));
        assert!(self.under_way.is_empty());
    }
}

fn takes_a_turn(action: &Action) -> bool {
    let advice = match action {
        Action::Advise { advice, .. } | Action::AdviseFailed { advice, .. } => *advice,
        _ => return true,
    };
    !matches!(advice, DONT_NEED | POPULATE_READ | POPULATE_WRITE)
}

/// The record of a call, as the kernel's programs send it.
fn arrive(order: &mut Order, under_way: UnderWay) {
    let UnderWay {
        returns,
        call,
        turn,
    } = under_way;
    let totals = call.totals.unwrap_or_default();
    let done = |kind, address: Address, length, protection, flags, extra| RawCall {
        stamp: stamp(returns),
        kind,
        protection,
        flags,
        address,
        length,
        stack: StackWord::None,
        turn,
        totals,
        extra,
        file: None,
    };
    let failed = |kind, address, length, argument, error, extra| RawFailed {
        stamp: stamp(returns),
        kind,
        turn,
        address,
        length,
        argument,
        error,
        extra,
        totals,
    };
    let raw = match call.action {
        Action::Map {
            address,
            length,
            protection,
            flags,
            file_offset,
        } => {
            let extra = file_offset.map(|offset| [offset, 3]);
            done(Kind::Mmap, address, length, protection, flags, extra)
        }
        Action::Unmap { address, length } => done(Kind::Munmap, address, length, 0, 0, None),
        Action::Remap {
            old_address,
            old_length,
            new_address,
            new_length,
            flags,
        } => {
            let extra = Some([new_address.0, new_length]);
            done(Kind::Mremap, old_address, old_length, 0, flags, extra)
        }
        Action::Break { old, new } => done(Kind::Brk, old, new.0, 0, 0, None),
        Action::Protect {
            address,
            length,
            protection,
        } => done(Kind::Mprotect, address, length, protection, 0, None),
        Action::Advise {
            address,
            length,
            advice,
        } => done(Kind::Madvise, address, length, 0, advice, None),
        Action::Attach {
            address,
            length,
            flags,
        } => done(Kind::Shmat, address, length, 0, flags, None),
        Action::Detach { address } => done(Kind::Shmdt, address, 0, 0, 0, None),
        Action::RemapFilePages { address, length } => {
            done(Kind::RemapFilePages, address, length, 0, 0, None)
        }
        Action::ProtectFailed {
            address,
            length,
            protection,
            error,
        } => {
            let argument = u16::from(protection);
            return order.failed(failed(
                Kind::Mprotect,
                address,
                length,
                argument,
                error,
                None,
            ));
        }
        Action::AdviseFailed {
            address,
            length,
            advice,
            error,
        } => {
            let argument = advice as u16;
            return order.failed(failed(
                Kind::Madvise,
                address,
                length,
                argument,
                error,
                None,
            ));
        }
        Action::RemapFailed {
            old_address,
            old_length,
            new_address,
            new_length,
        } => {
            let (fixed, extra) = (FIXED_PLACE as u16, Some([new_address.0, new_length]));
            let error = 14;
            let record = failed(Kind::Mremap, old_address, old_length, fixed, error, extra);
            return order.failed(record);
        }
        _ => unreachable!("the model knows what it does"),
    };
    order.call(raw, call.stack);
}
