use super::*;
use crate::event::{Fault, FileId, MapsPurpose, Pid, Stamp, Tid, record::StackWord};

const SPACE: SpaceId = SpaceId(1);

fn stamp(time: u64) -> Stamp {
    Stamp {
        time: Nanoseconds(time),
        space: SPACE,
        pid: Pid(1),
        tid: Tid(1),
        cpu: 0,
    }
}

fn turn(number: u64, time: u64) -> Turn {
    Turn {
        number,
        time: Nanoseconds(time),
    }
}

/// A call that returned at `returned`.
fn raw(kind: Kind, returned: u64, turn: Turn, address: u64) -> RawCall {
    RawCall {
        stamp: stamp(returned),
        kind,
        protection: 0,
        flags: MAP_ANONYMOUS,
        address: Address(address),
        length: 4096,
        stack: StackWord::None,
        turn,
        totals: Totals::default(),
        extra: None,
        file: None,
    }
}

fn failed(kind: Kind, returned: u64, turn: Turn) -> RawFailed {
    RawFailed {
        stamp: stamp(returned),
        kind,
        turn,
        address: Address(0x1000),
        length: 4096,
        argument: 1,
        error: 12,
        extra: None,
        totals: Totals::default(),
    }
}

fn maps(time: u64, after: u64) -> Maps {
    Maps {
        time: Nanoseconds(time),
        space: SPACE,
        purpose: MapsPurpose::Verify,
        after,
        ..Maps::default()
    }
}

fn actions(order: &mut Order, watermark: u64) -> Vec<Action> {
    events(order, watermark)
        .into_iter()
        .filter_map(|event| match event {
            Event::Call(call) => Some(call.action),
            _ => None,
        })
        .collect()
}

fn events(order: &mut Order, watermark: u64) -> Vec<Event> {
    std::iter::from_fn(|| order.pop(Nanoseconds(watermark))).collect()
}

fn map(address: u64) -> Action {
    Action::Map {
        address: Address(address),
        length: 4096,
        protection: 0,
        flags: MAP_ANONYMOUS,
        file_offset: None,
    }
}

fn unmap(address: u64) -> Action {
    Action::Unmap {
        address: Address(address),
        length: 4096,
    }
}

#[test]
fn a_map_that_got_the_addresses_of_an_unfinished_unmap_comes_after_it() {
    let mut order = Order::default();
    // Thread 2 is given the range and returns before thread 1 does.
    order.call(raw(Kind::Mmap, 20, turn(2, 12), 0x1000), StackId(2));
    assert_eq!(actions(&mut order, 25), []);
    order.call(raw(Kind::Munmap, 30, turn(1, 10), 0x1000), StackId::NONE);
    assert_eq!(actions(&mut order, 40), [unmap(0x1000), map(0x1000)]);
    assert_eq!(order.take_late(), 0);
}

#[test]
fn a_call_takes_effect_at_its_turn_and_tells_how_long_it_took() {
    let mut order = Order::default();
    order.call(raw(Kind::Mmap, 20, turn(1, 12), 0x1000), StackId(2));
    let [Event::Call(call)] = &events(&mut order, 25)[..] else {
        panic!("not one call");
    };
    assert_eq!((call.stamp.time, call.took_ns), (Nanoseconds(12), 8));
}

#[test]
fn what_file_a_call_has_mapped_comes_right_after_it() {
    let mut order = Order::default();
    let file = FileId {
        device: 1,
        inode: 42,
    };
    // Both have their turns before the first is told, and a page fault lies at the same time.
    order.push(Nanoseconds(12), Event::Fault(Fault::default()));
    order.call(
        RawCall {
            file: Some(file),
            ..raw(Kind::Mmap, 20, turn(2, 12), 0x1000)
        },
        StackId(2),
    );
    order.call(raw(Kind::Mmap, 21, turn(1, 11), 0x9000), StackId(3));
    let events = events(&mut order, 25);
    let at = events
        .iter()
        .position(|event| matches!(event, Event::Call(call) if call.stack == StackId(2)));
    let Some(Event::Backed(backed)) = events.get(at.unwrap() + 1) else {
        panic!("{events:?}");
    };
    assert_eq!((backed.address, backed.inode), (Address(0x1000), 42));
}

#[test]
fn a_failed_call_uses_its_turn_up() {
    let mut order = Order::default();
    order.call(raw(Kind::Mmap, 20, turn(2, 12), 0x1000), StackId(2));
    order.failed(failed(Kind::Brk, 30, turn(1, 10)));
    assert_eq!(actions(&mut order, 40), [map(0x1000)]);
}

#[test]
fn an_mprotect_that_failed_is_told() {
    let mut order = Order::default();
    order.failed(failed(Kind::Mprotect, 30, turn(1, 10)));
    let told = Action::ProtectFailed {
        address: Address(0x1000),
        length: 4096,
        protection: 1,
        error: 12,
    };
    assert_eq!(actions(&mut order, 40), [told]);
}

#[test]
fn a_move_to_a_fixed_place_that_failed_may_have_cleared_it() {
    let told = |kind, argument, error| {
        let mut order = Order::default();
        order.failed(RawFailed {
            argument,
            error,
            extra: Some([0x9000, 8192]),
            ..failed(kind, 30, turn(1, 10))
        });
        actions(&mut order, 40)
    };
    let (fixed, efault) = (MREMAP_FIXED as u16, 14);
    assert_eq!(
        told(Kind::Mremap, fixed, efault),
        [Action::RemapFailed {
            old_address: Address(0x1000),
            old_length: 4096,
            new_address: Address(0x9000),
            new_length: 8192,
        }]
    );
    assert_eq!(told(Kind::Mremap, 1, efault), []);
    let told_of_map = |flags| told(Kind::Mmap, flags, 1);
    assert_eq!(
        told_of_map(0x11),
        [Action::MapFailed {
            address: Address(0x1000),
            length: 4096,
            flags: 0x11,
            error: 1,
        }]
    );
    assert_eq!(told_of_map(0x1), []);
    assert_eq!(told(Kind::Brk, 0, 12), []);
}

#[test]
fn nothing_younger_than_the_watermark_comes_out() {
    let mut order = Order::default();
    order.call(raw(Kind::Mmap, 25, turn(2, 20), 0x1000), StackId::NONE);
    assert_eq!(actions(&mut order, 20), []);
    order.call(raw(Kind::Mmap, 15, turn(1, 10), 0x2000), StackId::NONE);
    assert_eq!(actions(&mut order, 21), [map(0x2000), map(0x1000)]);
}

#[test]
fn address_spaces_take_turns_of_their_own() {
    let mut order = Order::default();
    let mut other = raw(Kind::Mmap, 15, turn(1, 10), 0x2000);
    other.stamp.space = SpaceId(2);
    order.call(raw(Kind::Mmap, 25, turn(1, 20), 0x1000), StackId::NONE);
    order.call(other, StackId::NONE);
    assert_eq!(actions(&mut order, 30), [map(0x2000), map(0x1000)]);
}

#[test]
fn a_call_that_never_returns_is_given_up_and_counted() {
    let mut order = Order::default();
    order.call(raw(Kind::Mmap, 20, turn(2, 12), 0x1000), StackId(2));
    assert_eq!(actions(&mut order, 12 + PATIENCE.0), []);
    let watermark = 13 + PATIENCE.0;
    let got = events(&mut order, watermark);
    let missing = Missing {
        time: Nanoseconds(12),
        space: SPACE,
    };
    assert_eq!(got[0], Event::Missing(missing));
    assert!(matches!(got[1..], [Event::Call(_)]), "{got:?}");
    assert_eq!(order.take_late(), 1);
    // And if it does return after all, nobody knows what it did among the others:
    order.call(raw(Kind::Munmap, 30, turn(1, 10), 0x1000), StackId::NONE);
    let missing = Missing {
        time: Nanoseconds(watermark),
        space: SPACE,
    };
    assert_eq!(events(&mut order, watermark), [Event::Missing(missing)]);
    assert_eq!(order.take_late(), 1);
}

#[test]
fn nobody_waits_for_what_is_known_to_be_lost() {
    let mut order = Order::default();
    order.call(raw(Kind::Mmap, 20, turn(2, 12), 0x1000), StackId(2));
    order.excuse(Nanoseconds(15));
    // It may be that it has not returned yet.
    assert_eq!(actions(&mut order, 25), []);
    assert_eq!(actions(&mut order, 13 + GRACE.0), [map(0x1000)]);
    assert_eq!(order.take_late(), 0);
    // But for what is missing later, everybody does.
    order.call(raw(Kind::Mmap, 30, turn(4, 28), 0x2000), StackId(2));
    assert_eq!(actions(&mut order, 29 + GRACE.0), []);
    order.excuse_turns(SPACE, 3);
    assert_eq!(actions(&mut order, 29 + GRACE.0), [map(0x2000)]);
    assert_eq!(order.take_late(), 0);
}

#[test]
fn a_reading_waits_for_every_call_that_it_may_show() {
    let mut order = Order::default();
    order.maps(maps(30, 1));
    assert_eq!(events(&mut order, 40), []);
    order.call(raw(Kind::Mmap, 50, turn(1, 12), 0x1000), StackId::NONE);
    let got = events(&mut order, 60);
    assert!(
        matches!(got[..], [Event::Call(_), Event::Maps(_)]),
        "{got:?}"
    );
}

#[test]
fn a_fork_copies_what_was_there_at_its_turn() {
    let mut order = Order::default();
    let fork = Fork {
        stamp: stamp(50),
        child: Pid(2),
        child_space: SpaceId(2),
        followed: true,
        ..Fork::default()
    };
    // Another thread maps while the fork is still under way.
    order.call(raw(Kind::Mmap, 20, turn(2, 15), 0x1000), StackId::NONE);
    assert_eq!(events(&mut order, 30), []);
    order.fork(turn(1, 10), fork);
    let got = events(&mut order, 60);
    assert!(
        matches!(got[..], [Event::Fork(_), Event::Call(_)]),
        "{got:?}"
    );
}

#[test]
fn a_new_address_space_counts_from_one() {
    let mut order = Order::default();
    let mut first = raw(Kind::Mmap, 10, turn(1, 9), 0x1000);
    first.stamp.space = SpaceId(2);
    order.call(first, StackId::NONE);
    order.fork(
        turn(1, 20),
        Fork {
            stamp: stamp(21),
            child_space: SpaceId(2),
            ..Fork::default()
        },
    );
    let mut again = raw(Kind::Mmap, 31, turn(1, 30), 0x2000);
    again.stamp.space = SpaceId(2);
    order.call(again, StackId::NONE);
    assert_eq!(actions(&mut order, 40), [map(0x1000), map(0x2000)]);
    assert_eq!(order.take_late(), 0);
}

#[test]
fn a_call_that_had_the_lock_before_it_was_traced_is_left_to_the_maps() {
    let mut order = Order::default();
    order.call(raw(Kind::Mmap, 10, turn(0, 0), 0x1000), StackId::NONE);
    order.call(raw(Kind::Madvise, 11, turn(0, 0), 0x1000), StackId::NONE);
    let got = actions(&mut order, 20);
    assert!(
        matches!(got[..], [Action::Unclear, Action::Advise { .. }]),
        "{got:?}"
    );
}

#[test]
fn at_the_end_everything_comes_out() {
    let mut order = Order::default();
    order.call(raw(Kind::Mmap, 20, turn(2, 12), 0x1000), StackId(2));
    let got: Vec<_> = order.finish(Nanoseconds(20)).collect();
    assert!(
        matches!(got[..], [Event::Missing(_), Event::Call(_)]),
        "{got:?}"
    );
    assert_eq!(order.held(), 0);
}
