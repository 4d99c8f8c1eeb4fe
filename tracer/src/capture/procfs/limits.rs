//! What a process's memory can run into.

use std::fs;

use super::cgroup;
use super::directory::Directory;
use tracer_ledger::event::{Limits, ResourceLimits};

/// What limits a process's memory. What cannot be read is left open.
pub(super) fn limits(directory: &Directory) -> Limits {
    Limits {
        address_space_bytes: directory
            .read("limits")
            .ok()
            .and_then(|text| soft_limit(&text, "Max address space")),
        cgroup_memory_max_bytes: directory.read("cgroup").ok().and_then(|groups| {
            let mounts = fs::read("/proc/self/mountinfo").ok()?;
            cgroup::memory_max(&groups, &mounts)
        }),
        ..of_machine()
    }
}

/// What limits every process of the machine, also one that is gone.
pub(super) fn of_machine() -> Limits {
    Limits {
        overcommit_memory: setting("/proc/sys/vm/overcommit_memory"),
        max_map_count: setting("/proc/sys/vm/max_map_count"),
        memory_total_bytes: Some(memory_total()),
        ..Limits::default()
    }
}

/// The soft limits in `/proc/PID/limits` that memory can run into.
pub(super) fn resource_limits(text: &[u8]) -> ResourceLimits {
    ResourceLimits {
        address_space_bytes: soft_limit(text, "Max address space"),
        data_bytes: soft_limit(text, "Max data size"),
        stack_bytes: soft_limit(text, "Max stack size"),
        locked_bytes: soft_limit(text, "Max locked memory"),
        processes: soft_limit(text, "Max processes"),
    }
}

/// `Max address space         unlimited            unlimited            bytes`; `None` if unlimited.
fn soft_limit(text: &[u8], name: &str) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let values = text.lines().find_map(|line| line.strip_prefix(name))?;
    values.split_whitespace().next()?.parse().ok()
}

pub(super) fn setting<T: std::str::FromStr>(path: &str) -> Option<T> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// sysinfo(2): `MemTotal` of `/proc/meminfo`, which a container may have replaced by its own figure.
pub(super) fn memory_total() -> u64 {
    let info = rustix::system::sysinfo();
    info.totalram as u64 * u64::from(info.mem_unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_resource_has_its_own_limit() {
        let text =
            b"Limit                     Soft Limit           Hard Limit           Units     \n\
            Max data size             104857600            unlimited            bytes     \n\
            Max stack size            8388608              unlimited            bytes     \n\
            Max processes             96000                96001                processes \n\
            Max locked memory         65536                8388608              bytes     \n\
            Max address space         unlimited            unlimited            bytes     \n";
        let expected = ResourceLimits {
            address_space_bytes: None,
            data_bytes: Some(100 << 20),
            stack_bytes: Some(8 << 20),
            locked_bytes: Some(64 << 10),
            processes: Some(96_000),
        };
        assert_eq!(resource_limits(text), expected);
    }

    #[test]
    fn the_soft_limit_is_the_first_figure() {
        let text =
            b"Limit                     Soft Limit           Hard Limit           Units     \n\
            Max locked memory         8388608              8388608              bytes     \n\
            Max address space         1073741824           unlimited            bytes     \n";
        assert_eq!(soft_limit(text, "Max address space"), Some(1 << 30));
        assert_eq!(
            soft_limit(
                b"Max address space         unlimited  1 bytes\n",
                "Max address space"
            ),
            None
        );
        assert_eq!(soft_limit(b"", "Max address space"), None);
    }
}
