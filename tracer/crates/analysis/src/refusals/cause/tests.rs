//! Each row of what can refuse a call, at its bound and below it.

use super::{Cause, EAGAIN, ENOMEM, EPERM, cause};
use crate::model::refused::RefusalCause;
use tracer_ledger::event::{
    Account, Address, Around, Refused, RefusedCall, ResourceLimits, Totals,
};

const PAGE: u64 = 4096;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// `MAP_PRIVATE | MAP_ANONYMOUS`, and with `MAP_NORESERVE`.
const PRIVATE: u32 = 0x22;
const NORESERVE: u32 = 0x4022;
const WRITABLE: u8 = 3;

/// A process of 100 MiB, of which 40 are its data, on a machine of 16 GiB.
fn refused(call: RefusedCall, error: u16, asked: u64) -> Refused {
    Refused {
        call,
        error,
        requested_bytes: asked,
        protection: WRITABLE,
        flags: if call == RefusedCall::Mremap {
            1
        } else {
            PRIVATE
        },
        account: Account {
            totals: Totals {
                total_pages: 100 * MIB / PAGE,
                stack_pages: 33,
            },
            data_pages: 40 * MIB / PAGE,
            locked_pages: MIB / PAGE,
            mappings: 60,
            limits: ResourceLimits {
                processes: Some(1_000),
                ..ResourceLimits::default()
            },
        },
        around: Around {
            overcommit_memory: Some(0),
            max_map_count: Some(65_530),
            memory_and_swap_bytes: Some(16 * GIB),
            commit_limit_bytes: Some(8 * GIB),
            committed_bytes: Some(7 * GIB),
            user_processes: Some(50),
            address_space_bytes: Some(0x7fff_ffff_f000),
            may_lock: Some(false),
            ..Around::default()
        },
        ..Refused::default()
    }
}

fn with(mut refused: Refused, change: impl FnOnce(&mut Refused)) -> Refused {
    change(&mut refused);
    refused
}

/// The cause alone; `None`: no refusal.
fn why(refused: &Refused) -> Option<RefusalCause> {
    cause(refused, PAGE).map(|found| found.cause)
}

fn found(cause: RefusalCause, limit: u64, used: Option<u64>) -> Option<Cause> {
    Some(Cause {
        cause,
        limit: Some(limit),
        used,
    })
}

#[test]
fn rlimit_as_refuses_what_is_not_accessible_too() {
    for call in [
        RefusedCall::Mmap,
        RefusedCall::Mremap,
        RefusedCall::Brk,
        RefusedCall::Shmat,
    ] {
        let at = |limit| {
            with(refused(call, ENOMEM, MIB), |one| {
                one.protection = 0;
                one.account.limits.address_space_bytes = Some(limit);
            })
        };
        let expected = found(RefusalCause::RlimitAs, 101 * MIB - 1, Some(100 * MIB));
        assert_eq!(cause(&at(101 * MIB - 1), PAGE), expected, "{call:?}");
        assert_eq!(why(&at(101 * MIB)), Some(RefusalCause::Unknown), "{call:?}");
    }
}

#[test]
fn rlimit_data_refuses_what_is_private_and_writable() {
    let limited = |call, asked| {
        with(refused(call, ENOMEM, asked), |one| {
            one.account.limits.data_bytes = Some(100 * MIB);
        })
    };
    let expected = found(RefusalCause::RlimitData, 100 * MIB, Some(40 * MIB));
    for call in [
        RefusedCall::Mmap,
        RefusedCall::Mremap,
        RefusedCall::Brk,
        RefusedCall::Mprotect,
    ] {
        assert_eq!(
            cause(&limited(call, 60 * MIB + 1), PAGE),
            expected,
            "{call:?}"
        );
        assert_ne!(cause(&limited(call, 60 * MIB), PAGE), expected, "{call:?}");
    }
    let large = limited(RefusedCall::Mmap, 70 * MIB);
    for (what, change) in [
        (
            "not accessible",
            (|one| one.protection = 0) as fn(&mut Refused),
        ),
        ("shared", |one| one.flags = 0x21),
        ("a stack", |one| one.flags |= 0x100),
    ] {
        assert_eq!(
            why(&with(large.clone(), change)),
            Some(RefusalCause::Unknown),
            "{what}"
        );
    }
    let unwritable = with(limited(RefusedCall::Mprotect, 70 * MIB), |one| {
        one.protection = 1;
    });
    assert_eq!(why(&unwritable), None);
}

#[test]
fn rlimit_memlock_refuses_who_may_not_lock_and_locks() {
    let limited = |call, error, asked| {
        with(refused(call, error, asked), |one| {
            one.account.limits.locked_bytes = Some(8 * MIB);
        })
    };
    let expected = found(RefusalCause::RlimitMemlock, 8 * MIB, Some(MIB));
    let mlock = limited(RefusedCall::Mlock, ENOMEM, 7 * MIB + 1);
    assert_eq!(cause(&mlock, PAGE), expected);
    assert_eq!(why(&limited(RefusedCall::Mlock, ENOMEM, 7 * MIB)), None);
    let capable = with(mlock, |one| one.around.may_lock = Some(true));
    assert_eq!(why(&capable), None);
    // mlockall asks for all that is mapped.
    let all = cause(&limited(RefusedCall::Mlock, ENOMEM, 0), PAGE);
    assert_eq!(
        all,
        found(RefusalCause::RlimitMemlock, 8 * MIB, Some(100 * MIB))
    );

    let mmap = limited(RefusedCall::Mmap, EAGAIN, 8 * MIB);
    assert_eq!(why(&mmap), Some(RefusalCause::Unknown));
    let locked = with(mmap.clone(), |one| one.flags |= 0x2000);
    let future = with(mmap, |one| one.around.locks_all = true);
    let moved = limited(RefusedCall::Mremap, EAGAIN, 8 * MIB);
    let heap = with(limited(RefusedCall::Brk, ENOMEM, 8 * MIB), |one| {
        one.around.locks_all = true;
    });
    for one in [locked, future, moved, heap] {
        assert_eq!(cause(&one, PAGE), expected, "{:?}", one.call);
    }
    let none = with(limited(RefusedCall::Mlock, EPERM, PAGE), |one| {
        one.account.limits.locked_bytes = Some(0);
    });
    assert_eq!(
        cause(&none, PAGE),
        found(RefusalCause::RlimitMemlock, 0, Some(MIB))
    );
    assert_eq!(why(&refused(RefusedCall::Mmap, EPERM, PAGE)), None);
}

#[test]
fn max_map_count_refuses_new_mappings_above_it_and_splits_at_it() {
    let at = |call, error, mappings| {
        with(refused(call, error, PAGE), |one| {
            one.account.mappings = mappings;
        })
    };
    for (call, error, first) in [
        (RefusedCall::Mmap, ENOMEM, 65_531),
        (RefusedCall::Brk, ENOMEM, 65_531),
        (RefusedCall::Shmat, ENOMEM, 65_531),
        (RefusedCall::Mprotect, ENOMEM, 65_530),
        (RefusedCall::Munmap, ENOMEM, 65_530),
        (RefusedCall::Mlock, ENOMEM, 65_530),
        (RefusedCall::Madvise, EAGAIN, 65_530),
        (RefusedCall::Mremap, ENOMEM, 65_527),
    ] {
        let expected = found(RefusalCause::MaxMapCount, 65_530, Some(first));
        assert_eq!(cause(&at(call, error, first), PAGE), expected, "{call:?}");
        assert_ne!(
            why(&at(call, error, first - 1)),
            Some(RefusalCause::MaxMapCount),
            "{call:?}"
        );
    }
}

#[test]
fn the_heuristic_holds_a_single_call_against_all_memory_and_swap() {
    for call in [
        RefusedCall::Mmap,
        RefusedCall::Mremap,
        RefusedCall::Brk,
        RefusedCall::Mprotect,
    ] {
        let too_much = refused(call, ENOMEM, 16 * GIB + 1);
        assert_eq!(
            cause(&too_much, PAGE),
            found(RefusalCause::Overcommit, 16 * GIB, None),
            "{call:?}"
        );
        let fits = refused(call, ENOMEM, 16 * GIB);
        assert_ne!(why(&fits), Some(RefusalCause::Overcommit), "{call:?}");
    }
    let large = || refused(RefusedCall::Mmap, ENOMEM, 17 * GIB);
    let shared = with(large(), |one| one.flags = 0x21);
    assert_eq!(why(&shared), Some(RefusalCause::Overcommit));
    for (what, change) in [
        (
            "not charged",
            (|one| one.flags = NORESERVE) as fn(&mut Refused),
        ),
        ("not writable", |one| one.protection = 1),
        ("of a file, shared", |one| one.flags = 1),
        ("always", |one| one.around.overcommit_memory = Some(1)),
        ("not known", |one| one.around.overcommit_memory = None),
    ] {
        assert_eq!(
            why(&with(large(), change)),
            Some(RefusalCause::Unknown),
            "{what}"
        );
    }
}

#[test]
fn strict_overcommit_refuses_whatever_is_charged() {
    let strict = |call, asked| {
        with(refused(call, ENOMEM, asked), |one| {
            one.around.overcommit_memory = Some(2);
            one.flags |= NORESERVE;
        })
    };
    let expected = found(RefusalCause::Overcommit, 8 * GIB, Some(7 * GIB));
    for call in [RefusedCall::Mmap, RefusedCall::Brk, RefusedCall::Clone] {
        assert_eq!(cause(&strict(call, MIB), PAGE), expected, "{call:?}");
    }
    // There might be a hole: only by the figures, less what is kept for root.
    assert_eq!(cause(&strict(RefusedCall::Mprotect, GIB), PAGE), expected);
    assert_eq!(why(&strict(RefusedCall::Mprotect, GIB - 16 * MIB)), None);
}

#[test]
fn the_pool_of_huge_pages_is_asked_first() {
    let huge = |free| {
        with(refused(RefusedCall::Mmap, ENOMEM, 64 * MIB), |one| {
            one.flags |= 0x4_0000;
            one.around.huge_pool_bytes = Some(free);
            one.account.limits.address_space_bytes = Some(101 * MIB);
        })
    };
    let expected = found(RefusalCause::HugetlbPool, 62 * MIB, None);
    assert_eq!(cause(&huge(62 * MIB), PAGE), expected);
    assert_eq!(why(&huge(64 * MIB)), Some(RefusalCause::RlimitAs));
}

#[test]
fn what_has_no_room_in_the_address_space_was_refused_by_it() {
    let end = 0x7fff_ffff_f000;
    let used = Some(100 * MIB);
    let expected = found(RefusalCause::AddressSpace, end, used);
    let mmap = |asked| {
        with(refused(RefusedCall::Mmap, ENOMEM, asked), |one| {
            one.flags = NORESERVE;
        })
    };
    // More than all there is, also where RLIMIT_AS would refuse it next; and what wraps.
    let limited = with(mmap(end), |one| {
        one.account.limits.address_space_bytes = Some(GIB);
    });
    for one in [
        mmap(end),
        mmap(u64::MAX),
        mmap(end - MIB),
        mmap(64 << 40),
        limited,
    ] {
        assert_eq!(cause(&one, PAGE), expected);
    }
    let behind = with(mmap(GIB), |one| {
        one.flags |= 0x10_0010;
        one.address = Address(end - MIB);
    });
    assert_eq!(cause(&behind, PAGE), expected);
    let low = with(mmap(GIB), |one| one.flags |= 0x40);
    assert_eq!(
        cause(&low, PAGE),
        found(RefusalCause::AddressSpace, 2 * GIB, used)
    );
    assert_eq!(why(&mmap(GIB)), Some(RefusalCause::Unknown));
    // 32 bits, as a process of 3.9 GiB sees them.
    let narrow = with(mmap(200 * MIB), |one| {
        one.around.address_space_bytes = Some(0xffff_e000);
        one.account.totals.total_pages = 3_900 * MIB / PAGE;
    });
    assert_eq!(why(&narrow), Some(RefusalCause::AddressSpace));
}

#[test]
fn threads_and_processes_are_refused_by_the_user_s_number_or_by_the_group_s() {
    let clone = |user, pids, capable| {
        with(refused(RefusedCall::Clone, EAGAIN, 0), |one| {
            one.around.user_processes = Some(user);
            one.around.pids = pids;
            one.around.may_lock = Some(capable);
        })
    };
    let user = found(RefusalCause::RlimitNproc, 1_000, Some(1_000));
    let group = found(RefusalCause::Pids, 90, Some(90));
    let full = Some((90, 90));
    assert_eq!(cause(&clone(1_000, full, false), PAGE), user);
    assert_eq!(cause(&clone(1_000, full, true), PAGE), group);
    assert_eq!(cause(&clone(999, full, false), PAGE), group);
    assert_eq!(cause(&clone(1_000, Some((89, 90)), false), PAGE), user);
    assert_eq!(
        cause(&clone(999, None, false), PAGE),
        Some(Cause::default())
    );
    assert_eq!(
        why(&refused(RefusedCall::Clone, ENOMEM, 0)),
        Some(RefusalCause::Unknown)
    );
}

#[test]
fn a_hole_a_mapping_in_the_way_and_no_room_behind_are_no_refusals() {
    const EEXIST: u16 = 17;
    const EFAULT: u16 = 14;
    for (call, error) in [
        (RefusedCall::Mprotect, ENOMEM),
        (RefusedCall::Madvise, ENOMEM),
        (RefusedCall::Madvise, EAGAIN),
        (RefusedCall::Munmap, ENOMEM),
        (RefusedCall::Mlock, ENOMEM),
        (RefusedCall::Mlock, EAGAIN),
        (RefusedCall::RemapFilePages, ENOMEM),
        (RefusedCall::Mmap, EEXIST),
        (RefusedCall::Mremap, EFAULT),
    ] {
        assert_eq!(why(&refused(call, error, MIB)), None, "{call:?} {error}");
    }
    let down = refused(RefusedCall::Brk, ENOMEM, 0);
    assert_eq!(why(&down), None, "a break that comes down asks for nothing");
    let in_place = with(refused(RefusedCall::Mremap, ENOMEM, MIB), |one| {
        one.flags = 0;
    });
    assert_eq!(why(&in_place), None);
    let limited = with(in_place, |one| {
        one.account.limits.address_space_bytes = Some(100 * MIB);
    });
    assert_eq!(why(&limited), Some(RefusalCause::RlimitAs));
}
