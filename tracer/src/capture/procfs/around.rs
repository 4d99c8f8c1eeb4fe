//! What the machine has to give, when a call was refused.

use std::fs;

use tracer_common::bits::{MAP_HUGE_MASK, MAP_HUGE_SHIFT, MAP_HUGETLB};

use super::cgroup::full_of_processes;
use super::limits::{memory_total, setting};
use tracer_ledger::event::{Around, Machine, Refused, RefusedCall};

/// What was told with the call, and what `/proc` and `/sys` say now; what cannot be read is left open.
pub(crate) fn around(refused: &Refused, machine: &Machine) -> Around {
    let asks_for_huge_pages = refused.call == RefusedCall::Mmap && refused.flags & MAP_HUGETLB != 0;
    Around {
        overcommit_memory: setting("/proc/sys/vm/overcommit_memory"),
        max_map_count: setting("/proc/sys/vm/max_map_count"),
        memory_and_swap_bytes: Some(memory_total() + machine.swap_total_bytes.unwrap_or(0)),
        commit_limit_bytes: machine.commit_limit_bytes,
        committed_bytes: machine.committed_bytes,
        huge_pool_bytes: asks_for_huge_pages
            .then(|| huge_pool(refused.flags))
            .flatten(),
        pids: (refused.call == RefusedCall::Clone)
            .then(|| full_of_processes(refused.stamp.pid))
            .flatten(),
        ..refused.around
    }
}

/// Bytes that the pool of huge pages of this size has free and not promised to anybody, and may still grow by
/// (Documentation/admin-guide/mm/hugetlbpage.rst).
fn huge_pool(flags: u32) -> Option<u64> {
    let kib = match (flags >> MAP_HUGE_SHIFT) & MAP_HUGE_MASK {
        0 => default_huge_page()?,
        shift => (1_u64.checked_shl(shift)?) / 1024,
    };
    let folder = format!("/sys/kernel/mm/hugepages/hugepages-{kib}kB");
    let pages = |name: &str| setting::<u64>(&format!("{folder}/{name}"));
    let surplus = pages("nr_overcommit_hugepages")?.saturating_sub(pages("surplus_hugepages")?);
    let free = pages("free_hugepages")?.saturating_sub(pages("resv_hugepages")?);
    (free + surplus).checked_mul(kib * 1024)
}

/// KiB.
fn default_huge_page() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Hugepagesize:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
