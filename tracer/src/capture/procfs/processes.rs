//! Which processes and threads there are, and whose.

use std::{collections::HashSet, fs, path::Path};

use rustix::io::Errno;

use super::directory::{Directory, number};
use super::error::ProcError;
use crate::capture::elf;
use tracer_ledger::event::{Pid, Tid};

/// `PF_KTHREAD` in a task's flags (include/linux/sched.h).
const PF_KTHREAD: u32 = 0x0020_0000;
/// Where control groups are mounted (cgroups(7); systemd's and every container runtime's place).
const CGROUPS: &str = "/sys/fs/cgroup";
/// The longest name a task has, bytes (`TASK_COMM_LEN` without the final NUL).
const COMM_LENGTH: usize = tracer_common::process::COMM_LENGTH - 1;

/// The threads of a process and their names, by id.
///
/// # Errors
/// If the process is gone.
pub(crate) fn threads(pid: Pid) -> Result<Vec<(Tid, String)>, ProcError> {
    let directory = Directory::open(pid)?;
    let mut threads = Vec::new();
    for tid in directory.tasks()? {
        // One that has ended since is no thread of the process any more.
        if let Ok(name) = comm(&directory, &format!("task/{}/comm", tid.0)) {
            threads.push((tid, String::from_utf8_lossy(&name).into_owned()));
        }
    }
    Ok(threads)
}

/// The parent of a process; 0 if it has none in this PID namespace.
///
/// # Errors
/// If the process is gone.
pub(crate) fn parent(pid: Pid) -> Result<Pid, ProcError> {
    Stat::read(&Directory::open(pid)?).map(|stat| stat.parent)
}

/// Whether a process is a thread of the kernel, which has no memory of its own.
///
/// # Errors
/// If the process is gone.
pub(crate) fn is_kernel_thread(pid: Pid) -> Result<bool, ProcError> {
    Stat::read(&Directory::open(pid)?).map(|stat| stat.flags & PF_KTHREAD != 0)
}

/// Whether a process runs a 32-bit program; false if its file cannot be read, as that of a process
/// that has ended.
///
/// # Errors
/// If the process is gone.
pub(crate) fn is_32_bit(pid: Pid) -> Result<bool, ProcError> {
    let program = Directory::open(pid)?.file("exe");
    Ok(program.is_ok_and(|program| elf::is_32_bit(&program)))
}

/// The living descendants of a process, parents before their children.
///
/// A process that forks meanwhile may hide its newest child: follow forks first, then ask.
///
/// # Errors
/// If the process is gone.
pub(crate) fn descendants(pid: Pid) -> Result<Vec<Pid>, ProcError> {
    Directory::open(pid)?;
    let mut found = vec![pid];
    let mut known = HashSet::from([pid]);
    // Until nothing new turns up: proc.rst promises that a list of children is complete only while
    // none of them ends.
    loop {
        let before = found.len();
        if !by_children(&mut found, &mut known)? {
            by_parents(&mut found, &mut known)?;
        }
        if found.len() == before {
            found.remove(0);
            return Ok(found);
        }
    }
}

/// The processes, kernel threads and this one excepted, whose main thread has this name: as long as
/// the kernel keeps it (15 bytes), if it is longer. By id.
///
/// # Errors
/// If `/proc` cannot be read.
pub(crate) fn pids_by_comm(name: &str) -> Result<Vec<Pid>, ProcError> {
    let name = &name.as_bytes()[..name.len().min(COMM_LENGTH)];
    let is_named = |pid| comm(&Directory::open(pid).ok()?, "comm").ok();
    Ok(pids()?
        .into_iter()
        .filter(|pid| is_named(*pid).is_some_and(|found| found == name))
        .collect())
}

/// Those of [`pids_by_comm`]; where a program has given its main thread another name (as Node 24 does), the processes
/// that run a file of this name. By id.
///
/// # Errors
/// If `/proc` cannot be read.
pub(crate) fn pids_by_program(name: &str) -> Result<Vec<Pid>, ProcError> {
    use std::os::unix::ffi::OsStrExt;

    let mut found = pids_by_comm(name)?;
    let runs = |pid: &Pid| {
        let path = Directory::open(*pid).ok()?.link("exe").ok()?;
        let path = path.strip_suffix(b" (deleted)").unwrap_or(&path);
        Path::new(std::ffi::OsStr::from_bytes(path))
            .file_name()
            .map(|file| file.as_bytes() == name.as_bytes())
    };
    found.extend(pids()?.into_iter().filter(|pid| runs(pid) == Some(true)));
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Every process, kernel threads, those that have ended and this one excepted. By id.
///
/// # Errors
/// If `/proc` cannot be read.
pub(crate) fn pids() -> Result<Vec<Pid>, ProcError> {
    Ok(all()?.into_iter().filter(|pid| has_memory(*pid)).collect())
}

/// The processes in a control group and in those below it, as [`pids`]. `path` is the group's folder, or
/// what follows `/sys/fs/cgroup` in it.
///
/// # Errors
/// If there is no such group.
pub(crate) fn pids_by_cgroup(path: &Path) -> Result<Vec<Pid>, ProcError> {
    let below = path.strip_prefix(CGROUPS).unwrap_or(path);
    let group = Path::new(CGROUPS).join(below.strip_prefix("/").unwrap_or(below));
    let mut pids = Vec::new();
    in_cgroup(&group, &mut pids)?;
    pids.retain(|pid| has_memory(*pid));
    pids.sort_unstable();
    pids.dedup();
    Ok(pids)
}

fn in_cgroup(group: &Path, pids: &mut Vec<Pid>) -> Result<(), ProcError> {
    let cannot = |path: &Path, source| ProcError::Read {
        path: path.display().to_string(),
        source,
    };
    let file = group.join("cgroup.procs");
    match fs::read(&file) {
        Ok(text) => pids.extend(
            text.split(|&byte| byte == b'\n')
                .filter_map(number)
                .map(Pid),
        ),
        // A group of threads lists its processes further up.
        Err(error) if error.raw_os_error() == Some(Errno::OPNOTSUPP.raw_os_error()) => {}
        Err(error) => return Err(cannot(&file, error)),
    }
    for entry in fs::read_dir(group).map_err(|error| cannot(group, error))? {
        let entry = entry.map_err(|error| cannot(group, error))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // One that is gone meanwhile has no processes.
            let _ = in_cgroup(&entry.path(), pids);
        }
    }
    Ok(())
}

/// Whether a process can be traced: it is none of the kernel's threads, has not ended, and is not this
/// one.
fn has_memory(pid: Pid) -> bool {
    let stat = Directory::open(pid).and_then(|directory| Stat::read(&directory));
    pid.0 != std::process::id()
        && stat.is_ok_and(|stat| stat.flags & PF_KTHREAD == 0 && !stat.is_dead())
}

/// The name of a task, without the final newline.
pub(super) fn comm(directory: &Directory, file: &str) -> Result<Vec<u8>, ProcError> {
    let mut name = directory.read(file)?;
    if name.last() == Some(&b'\n') {
        name.pop();
    }
    Ok(name)
}

/// Every process, by id.
fn all() -> Result<Vec<Pid>, ProcError> {
    use std::os::unix::ffi::OsStrExt;

    let cannot = |source| ProcError::Read {
        path: "/proc".into(),
        source,
    };
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc").map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        pids.extend(number(entry.file_name().as_bytes()).map(Pid));
    }
    pids.sort_unstable();
    Ok(pids)
}

/// Adds what `/proc/PID/task/TID/children` lists; false if this kernel does not have that file
/// (`CONFIG_PROC_CHILDREN`).
fn by_children(found: &mut Vec<Pid>, known: &mut HashSet<Pid>) -> Result<bool, ProcError> {
    let own = Directory::open(Pid(std::process::id()))?;
    let file = own.file(&format!("task/{}/children", own.pid));
    if file.err() == Some(Errno::NOENT) {
        return Ok(false);
    }
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        next += 1;
        let Ok(directory) = Directory::open(parent) else {
            continue;
        };
        for task in directory.tasks().unwrap_or_default() {
            let Ok(children) = directory.read(&format!("task/{}/children", task.0)) else {
                continue;
            };
            for child in children.split(|&byte| byte == b' ').filter_map(number) {
                add(Pid(child), found, known);
            }
        }
    }
    Ok(true)
}

/// Adds every process whose parent is among those found.
fn by_parents(found: &mut Vec<Pid>, known: &mut HashSet<Pid>) -> Result<(), ProcError> {
    let parents: Vec<(Pid, Pid)> = all()?
        .into_iter()
        .filter_map(|pid| parent(pid).ok().map(|parent| (pid, parent)))
        .collect();
    let mut next = 0;
    while let Some(&wanted) = found.get(next) {
        next += 1;
        for &(child, parent) in &parents {
            if parent == wanted {
                add(child, found, known);
            }
        }
    }
    Ok(())
}

fn add(child: Pid, found: &mut Vec<Pid>, known: &mut HashSet<Pid>) {
    let is_alive = || {
        let stat = Directory::open(child).and_then(|directory| Stat::read(&directory));
        stat.is_ok_and(|stat| !stat.is_dead())
    };
    if !known.contains(&child) && is_alive() {
        known.insert(child);
        found.push(child);
    }
}

/// The fields of `/proc/PID/stat` that are needed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    state: u8,
    parent: Pid,
    flags: u32,
    threads: u32,
}

impl Stat {
    fn read(directory: &Directory) -> Result<Self, ProcError> {
        let text = directory.read("stat")?;
        Self::parse(&text).ok_or_else(|| ProcError::Malformed {
            path: directory.path("stat"),
            text: String::from_utf8_lossy(&text).trim_end().to_owned(),
        })
    }

    /// `pid (comm) state ppid …`: the name may contain spaces and parentheses, what follows does not.
    fn parse(text: &[u8]) -> Option<Self> {
        let behind_name = text.iter().rposition(|&byte| byte == b')')? + 1;
        let mut fields = text[behind_name..]
            .split(u8::is_ascii_whitespace)
            .filter(|field| !field.is_empty());
        Some(Self {
            state: *fields.next()?.first()?,      // field 3 of proc_pid_stat(5)
            parent: Pid(number(fields.next()?)?), // 4
            flags: number(fields.nth(4)?)?,       // 9
            threads: number(fields.nth(10)?)?,    // 20
        })
    }

    /// Whether it only waits to be reaped. A main thread that has ended before the others looks like
    /// that too, but is not alone.
    fn is_dead(self) -> bool {
        matches!(self.state, b'Z' | b'X') && self.threads <= 1
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Child;
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_the_fields() {
        let text = b"7 (a) Z 9 (b) S 42 7 7 0 -1 2097216 0 0 0 0 0 0 0 0 20 0 3 0 13 0 0\n";
        let expected = Stat {
            state: b'S',
            parent: Pid(42),
            flags: 0x20_0040,
            threads: 3,
        };
        assert_eq!(Stat::parse(text), Some(expected));
        assert_eq!(Stat::parse(b"7 (a) S 42 7"), None);
        assert_eq!(Stat::parse(b""), None);
    }

    #[test]
    fn both_ways_to_find_descendants_agree() {
        let child = Child::nested();
        let start = || (vec![child.pid()], HashSet::from([child.pid()]));
        let (mut by_files, mut known) = start();
        assert!(by_children(&mut by_files, &mut known).unwrap());
        let (mut by_scan, mut known) = start();
        by_parents(&mut by_scan, &mut known).unwrap();
        assert_eq!(by_files.len(), 3);
        assert_eq!(by_files, by_scan);
    }
}
