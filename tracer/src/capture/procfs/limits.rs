//! What a process's memory can run into.

use std::fs;

use super::cgroup;
use super::directory::Directory;
use tracer_ledger::event::Limits;

/// What limits a process's memory. What cannot be read is left open.
pub(super) fn limits(directory: &Directory) -> Limits {
    Limits {
        address_space_bytes: directory
            .read("limits")
            .ok()
            .and_then(|text| soft_limit(&text, "Max address space")),
        overcommit_memory: setting("/proc/sys/vm/overcommit_memory"),
        max_map_count: setting("/proc/sys/vm/max_map_count"),
        cgroup_memory_max_bytes: directory.read("cgroup").ok().and_then(|groups| {
            let mounts = fs::read("/proc/self/mountinfo").ok()?;
            cgroup::memory_max(&groups, &mounts)
        }),
        memory_total_bytes: Some(memory_total()),
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
