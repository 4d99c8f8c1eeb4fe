//! The snapshots of a storm, read again.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use tracer_ledger::event::{Address, Mapping, Nanoseconds, Pid};

/// What the kernel said of an address space at rest.
pub struct Snapshot {
    /// Who asked.
    pub pid: Pid,
    /// When in its life: `pause-17`, `forked`, `stormed`.
    pub moment: String,
    /// When the reading began: no call was under way.
    pub before: Nanoseconds,
    /// The maps.
    pub mappings: Vec<Mapping>,
    /// What was called since the snapshot before, in the program's own words, and on which addresses.
    pub calls: Vec<(String, Vec<u64>)>,
}

/// All snapshots of a file by process, each in the order of time.
pub fn read(path: &Path) -> Result<BTreeMap<Pid, VecDeque<Snapshot>>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the snapshots in {}", path.display()))?;
    let mut lines = text.lines();
    let mut snapshots: BTreeMap<Pid, VecDeque<Snapshot>> = BTreeMap::new();
    while let Some(head) = lines.next() {
        let snapshot = parse(head, &mut lines)
            .with_context(|| format!("{} has no snapshot at: {head}", path.display()))?;
        snapshots
            .entry(snapshot.pid)
            .or_default()
            .push_back(snapshot);
    }
    for of_one in snapshots.values_mut() {
        of_one
            .make_contiguous()
            .sort_by_key(|snapshot| snapshot.before);
    }
    Ok(snapshots)
}

fn parse<'a>(head: &str, lines: &mut impl Iterator<Item = &'a str>) -> Result<Snapshot> {
    let words: Vec<&str> = head.split_whitespace().collect();
    let ["snapshot", pid, moment, before, _after, mappings, calls] = words[..] else {
        bail!("this is no head");
    };
    let (mappings, calls): (usize, usize) = (mappings.parse()?, calls.parse()?);
    let mappings: Vec<_> = lines
        .take(mappings)
        .map(|line| mapping(line).with_context(|| format!("this is no mapping: {line}")))
        .collect::<Result<_>>()?;
    let calls = lines.take(calls).map(call).collect();
    Ok(Snapshot {
        pid: Pid(pid.parse()?),
        moment: moment.into(),
        before: Nanoseconds(before.parse()?),
        mappings,
        calls,
    })
}

/// `start-end rwxp offset device inode name`, as proc_pid_maps(5) tells. Read here once more, and not
/// by the tracer's own reader: the test shall not share its errors.
fn mapping(line: &str) -> Option<Mapping> {
    let mut words = line.split_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let address = |digits| u64::from_str_radix(digits, 16).ok().map(Address);
    let access = words.next()?;
    let protection = [('r', 1), ('w', 2), ('x', 4)]
        .into_iter()
        .filter(|(letter, _)| access.contains(*letter))
        .map(|(_, bit)| bit)
        .sum();
    Some(Mapping {
        start: address(start)?,
        end: address(end)?,
        protection,
        shared: access.ends_with('s'),
        name: words.skip(3).collect::<Vec<_>>().join(" "),
        ..Mapping::default()
    })
}

fn call(line: &str) -> (String, Vec<u64>) {
    let numbers = line
        .split_whitespace()
        .filter_map(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok())
        .collect();
    (line.to_owned(), numbers)
}
