//! How many processes and threads a control group has, and may have (Documentation/admin-guide/cgroup-v1/pids.rst).

use std::fs;

use super::figures::number;
use super::{Hierarchies, OwnGroup};
use tracer_ledger::event::Pid;

/// `pids.current` and `pids.max` of the nearest group of a process in which there is no room for one more; `None`: in all
/// there is, or that cannot be known.
pub(crate) fn full_of_processes(pid: Pid) -> Option<(u64, u64)> {
    let mounts = fs::read("/proc/self/mountinfo").ok()?;
    let groups = Hierarchies::with(&mounts, b"pids").of(pid).ok()?;
    groups.iter().find_map(full)
}

fn full(group: &OwnGroup) -> Option<(u64, u64)> {
    group.below.ancestors().find_map(|below| {
        let folder = group.point.join(below);
        // "max" is no number.
        let most = number(&folder.join("pids.max"))?;
        let now = number(&folder.join("pids.current"))?;
        (now >= most).then_some((now, most))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hierarchy, mount};
    use super::*;

    #[test]
    fn the_nearest_group_without_room_counts() {
        let folder = hierarchy(&[
            ("a/pids.max", "10\n"),
            ("a/pids.current", "10\n"),
            ("a/b/pids.max", "max\n"),
            ("a/b/pids.current", "3\n"),
        ]);
        let mounts = mount("/", &folder, "cgroup2", "nsdelegate");
        let hierarchies = Hierarchies::with(mounts.as_bytes(), b"pids");
        let full_for = |path: &str| hierarchies.groups(path.as_bytes()).iter().find_map(full);
        assert_eq!(full_for("0::/a/b\n"), Some((10, 10)));
        assert_eq!(full_for("0::/\n"), None);
    }
}
