//! What is recorded since format 6.

use tracer_ledger::event::{
    Account, Accounted, Address, Around, Backed, Blind, Event, File, FileKind, Group, Mappings,
    Named, Nanoseconds, OomKill, Pid, Refused, RefusedAgain, RefusedCall, ResourceLimits, Shares,
    SpaceId, Split, StackId, Totals, Unseen, Usage,
};

use crate::events::stamp;

/// Every variant that format 6 has added.
pub(crate) fn one_of_each_of_format_6() -> Vec<(&'static str, Event)> {
    let cage = Address(0x7d18_0000_0000);
    let length = 10_737_479_680;
    vec![
        (
            "Refused",
            Event::Refused(Refused {
                stamp: stamp(88),
                call: RefusedCall::Mremap,
                stack: StackId(17),
                address: cage,
                requested_bytes: length,
                protection: 3,
                flags: 0x22,
                error: 12,
                account: account(),
                around: Around {
                    overcommit_memory: Some(0),
                    max_map_count: Some(65_530),
                    pids: Some((7, 8)),
                    locks_all: true,
                    ..Around::default()
                },
                place: 1 << 40,
            }),
        ),
        (
            "RefusedAgain",
            Event::RefusedAgain(RefusedAgain {
                time: Nanoseconds(90),
                last: Nanoseconds(89),
                place: 1 << 40,
                count: 1000,
            }),
        ),
        (
            "Accounted",
            Event::Accounted(Accounted {
                time: Nanoseconds(90),
                pid: Pid(5876),
                space: SpaceId(3),
                account: account(),
            }),
        ),
        (
            "Usage",
            Event::Usage(Usage {
                time: Nanoseconds(91),
                pid: Pid(5876),
                cpu_ns: Some(1_000_000),
                anonymous_bytes: 1,
                file_bytes: 2,
                shared_memory_bytes: 3,
                swapped_bytes: 4,
                locked_bytes: 5,
                hugetlb_bytes: 6,
                page_table_bytes: 7,
                threads: 8,
            }),
        ),
        (
            "Shares",
            Event::Shares(Shares {
                time: Nanoseconds(92),
                pid: Pid(5876),
                resident_bytes: 1,
                proportional_bytes: 2,
                private_bytes: 3,
                shared_bytes: 4,
                lazily_freed_bytes: 5,
                huge_page_bytes: 6,
                hugetlb_bytes: 7,
                locked_bytes: 8,
            }),
        ),
        (
            "Mappings",
            Event::Mappings(Mappings {
                time: Nanoseconds(93),
                space: SpaceId(3),
                count: 1210,
            }),
        ),
        (
            "Split",
            Event::Split(Split {
                stamp: stamp(94),
                stack: StackId(18),
                more: 2,
                mappings: 1212,
            }),
        ),
        (
            "Group",
            Event::Group(Group {
                time: Nanoseconds(95),
                pid: Pid(5876),
                version: 2,
                path: "/system.slice".into(),
                limit_bytes: Some(1 << 29),
                usage_bytes: 1 << 28,
                reclaimable_bytes: 3,
                swap_limit_bytes: Some(4),
                swap_bytes: Some(5),
                oom_kills: 6,
                limit_hits: 7,
            }),
        ),
        (
            "OomKill",
            Event::OomKill(OomKill {
                time: Nanoseconds(96),
                pid: Pid(5876),
                by_group: Some(true),
            }),
        ),
        (
            "File",
            Event::File(File {
                time: Nanoseconds(97),
                device: 1 << 20,
                inode: 42,
                kind: FileKind::Memory,
                path: "/memfd:heap (deleted)".into(),
            }),
        ),
        (
            "Backed",
            Event::Backed(Backed {
                time: Nanoseconds(98),
                space: SpaceId(3),
                address: cage,
                length,
                device: 1 << 20,
                inode: 42,
            }),
        ),
        (
            "Named",
            Event::Named(Named {
                time: Nanoseconds(99),
                pid: Pid(5876),
                space: SpaceId(3),
                address: cage,
                length,
                name: "heap".into(),
            }),
        ),
        (
            "Unseen",
            Event::Unseen(Unseen {
                stamp: stamp(100),
                why: Blind::ThirtyTwoBits,
            }),
        ),
    ]
}

fn account() -> Account {
    Account {
        totals: Totals {
            total_pages: 5_642_153,
            stack_pages: 34,
        },
        data_pages: 1,
        locked_pages: 2,
        mappings: 1210,
        limits: ResourceLimits {
            address_space_bytes: Some(8 << 30),
            data_bytes: None,
            stack_bytes: Some(8 << 20),
            locked_bytes: Some(8 << 20),
            processes: Some(31_000),
        },
    }
}
