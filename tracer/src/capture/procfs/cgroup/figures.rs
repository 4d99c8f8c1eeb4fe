//! How a control group stands: the limit that leaves a process the least room, by the limit's own figures
//! (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst).

use std::fs;
use std::path::{Path, PathBuf};

use super::{OwnGroup, UNLIMITED, Version};
use tracer_ledger::event::{Group, Nanoseconds, Pid};

/// The names of a version's files.
struct Files {
    limit: &'static str,
    usage: &'static str,
    /// Of `memory.stat`: pages of files that were not used lately, of the group and those below it.
    reclaimable: &'static str,
}

impl Version {
    const fn files(self) -> Files {
        match self {
            Self::V1 => Files {
                limit: "memory.limit_in_bytes",
                usage: "memory.usage_in_bytes",
                reclaimable: "total_inactive_file",
            },
            Self::V2 => Files {
                limit: "memory.max",
                usage: "memory.current",
                reclaimable: "inactive_file",
            },
        }
    }
}

impl OwnGroup {
    /// The smallest limit of the group and its ancestors; `None`: none has one.
    pub(super) fn tightest(&self) -> Option<u64> {
        let ancestors = self.below.ancestors();
        ancestors.filter_map(|below| self.limit(below)).min()
    }

    /// The group that leaves the least room, of this one and its ancestors, as it stands now; where none has a limit,
    /// the nearest one that counts memory. `None`: it has been removed, or memory is not counted here.
    pub(crate) fn read(&self, pid: Pid, time: Nanoseconds) -> Option<Group> {
        let files = self.version.files();
        let own = self.point.join(&self.below);
        // A group that has been removed is not its parent.
        fs::metadata(&own).ok()?;
        let mut nearest: Option<(u64, &Path, Option<u64>, u64)> = None;
        for below in self.below.ancestors() {
            let Some(usage) = number(&self.point.join(below).join(files.usage)) else {
                continue;
            };
            let limit = self.limit(below);
            let room = limit.map_or(u64::MAX, |limit| limit.saturating_sub(usage));
            if nearest.is_none_or(|(least, ..)| room < least) {
                nearest = Some((room, below, limit, usage));
            }
        }
        let (_, below, limit_bytes, usage_bytes) = nearest?;
        let limiting = self.point.join(below);
        let statistics = text(&limiting.join("memory.stat"));
        let reclaimable = value(&statistics, files.reclaimable).unwrap_or(0);
        let (swap_limit_bytes, swap_bytes) = match self.version {
            Version::V1 => {
                // Memory and swap are limited together.
                let both = number(&limiting.join("memory.memsw.limit_in_bytes"));
                let both = both.filter(|both| *both < UNLIMITED);
                let limit = both.zip(limit_bytes);
                (
                    limit.map(|(both, memory)| both.saturating_sub(memory)),
                    value(&statistics, "total_swap"),
                )
            }
            Version::V2 => (
                number(&limiting.join("memory.swap.max")),
                number(&limiting.join("memory.swap.current")),
            ),
        };
        let (oom_kills, limit_hits) = match self.version {
            Version::V1 => (
                value(&text(&own.join("memory.oom_control")), "oom_kill"),
                number(&limiting.join("memory.failcnt")),
            ),
            Version::V2 => (
                value(&text(&own.join("memory.events")), "oom_kill"),
                value(&text(&limiting.join("memory.events")), "max"),
            ),
        };
        Some(Group {
            time,
            pid,
            version: match self.version {
                Version::V1 => 1,
                Version::V2 => 2,
            },
            path: PathBuf::from("/")
                .join(below)
                .to_string_lossy()
                .into_owned(),
            limit_bytes,
            usage_bytes,
            reclaimable_bytes: reclaimable.min(usage_bytes),
            swap_limit_bytes,
            swap_bytes,
            oom_kills: oom_kills.unwrap_or(0),
            limit_hits: limit_hits.unwrap_or(0),
        })
    }

    /// The limit of a group below the mount.
    fn limit(&self, below: &Path) -> Option<u64> {
        let file = self.point.join(below).join(self.version.files().limit);
        // "max" is no number.
        number(&file).filter(|limit| *limit < UNLIMITED)
    }
}

fn text(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

pub(super) fn number(file: &Path) -> Option<u64> {
    text(file).trim().parse().ok()
}

/// The number behind a key, as `oom_kill 3`.
fn value(text: &str, key: &str) -> Option<u64> {
    let lines = text.lines();
    let mut pairs = lines.filter_map(|line| line.split_once(' '));
    pairs
        .find(|(found, _)| *found == key)?
        .1
        .trim()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hierarchy, mount};
    use super::super::{Hierarchies, OwnGroup};
    use super::*;

    fn own(groups: &str, mounts: &str) -> OwnGroup {
        let found = Hierarchies::parse(mounts.as_bytes()).groups(groups.as_bytes());
        found.first().unwrap().clone()
    }

    fn read(group: &OwnGroup) -> Option<Group> {
        group.read(Pid(7), Nanoseconds(9))
    }

    #[test]
    fn of_version_2_the_group_with_the_least_room_is_told_with_all_its_figures() {
        let folder = hierarchy(&[
            ("a/memory.max", "1000\n"),
            ("a/memory.current", "990\n"),
            (
                "a/memory.stat",
                "anon 3\ninactive_file 120\nactive_file 1\n",
            ),
            ("a/memory.swap.max", "500\n"),
            ("a/memory.swap.current", "50\n"),
            ("a/memory.events", "low 0\nmax 12\noom 2\noom_kill 9\n"),
            ("a/b/memory.max", "600\n"),
            ("a/b/memory.current", "400\n"),
            ("a/b/memory.events", "max 1\noom_kill 4\n"),
        ]);
        let group = own("0::/a/b\n", &mount("/", &folder, "cgroup2", ""));
        let expected = Group {
            time: Nanoseconds(9),
            pid: Pid(7),
            version: 2,
            path: "/a".into(),
            limit_bytes: Some(1000),
            usage_bytes: 990,
            reclaimable_bytes: 120,
            swap_limit_bytes: Some(500),
            swap_bytes: Some(50),
            oom_kills: 4,
            limit_hits: 12,
        };
        assert_eq!(read(&group), Some(expected));
    }

    #[test]
    fn of_version_1_swap_is_what_is_left_of_both() {
        let folder = hierarchy(&[
            ("memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory.usage_in_bytes", "90000\n"),
            ("a/memory.limit_in_bytes", "4096\n"),
            ("a/memory.usage_in_bytes", "1000\n"),
            ("a/memory.memsw.limit_in_bytes", "6144\n"),
            (
                "a/memory.stat",
                "inactive_file 1\ntotal_inactive_file 30\ntotal_swap 5\n",
            ),
            ("a/memory.failcnt", "3\n"),
            (
                "a/memory.oom_control",
                "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
            ),
        ]);
        let group = own("4:memory:/a\n", &mount("/", &folder, "cgroup", "rw,memory"));
        let read = read(&group).unwrap();
        assert_eq!((read.version, read.path.as_str()), (1, "/a"));
        assert_eq!((read.limit_bytes, read.usage_bytes), (Some(4096), 1000));
        assert_eq!(
            (read.swap_limit_bytes, read.swap_bytes),
            (Some(2048), Some(5))
        );
        assert_eq!(read.reclaimable_bytes, 30);
        assert_eq!((read.oom_kills, read.limit_hits), (2, 3));
    }

    #[test]
    fn without_a_limit_the_nearest_group_that_counts_memory_is_told() {
        let folder = hierarchy(&[
            ("a/memory.max", "max\n"),
            ("a/memory.current", "77\n"),
            ("a/b/cgroup.procs", ""),
        ]);
        let group = own("0::/a/b\n", &mount("/", &folder, "cgroup2", ""));
        let read = read(&group).unwrap();
        assert_eq!((read.path.as_str(), read.usage_bytes), ("/a", 77));
        assert_eq!(read.limit_bytes, None);
    }

    #[test]
    fn a_group_that_has_been_removed_has_no_figures() {
        let folder = hierarchy(&[("a/memory.max", "100\n"), ("a/memory.current", "77\n")]);
        let group = own("0::/a/gone\n", &mount("/", &folder, "cgroup2", ""));
        assert_eq!(read(&group), None);
    }
}
