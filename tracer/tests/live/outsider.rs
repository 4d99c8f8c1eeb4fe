//! What others count and see of the same program: strace its calls by kind, the kernel its resident
//! memory mapping by mapping.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use serde_json::Value;
use tracer_common::kind::TracedCall;
use tracer_ledger::event::{Action, Event};
use tracer_recording::Reader;

use crate::{
    command::{Attached, example, folder, json, process, tracer},
    compiled::compile,
    target::Target,
};

/// The calls that tracer follows, by the names that strace and the kernel have for them; tracer has one
/// kind for both `mprotect` and `pkey_mprotect`.
const CALLS: [(&str, &str); 10] = [
    ("mmap", "mmap"),
    ("munmap", "munmap"),
    ("mremap", "mremap"),
    ("brk", "brk"),
    ("mprotect", "mprotect"),
    ("pkey_mprotect", "mprotect"),
    ("madvise", "madvise"),
    ("shmat", "shmat"),
    ("shmdt", "shmdt"),
    ("remap_file_pages", "remap_file_pages"),
];

/// How many calls of a kind there were.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    all: u64,
    failed: u64,
}

type Counts = BTreeMap<&'static str, Count>;

/// A command with the same layout in every run: some of glibc's calls depend on it.
const REPEATABLE: [&str; 2] = ["setarch", "--addr-no-randomize"];

/// Asserts that tracer and strace count the same calls of a command.
#[track_caller]
fn counts_agree(command: &[&str]) -> Counts {
    let folder = folder();
    let own = counted_by_tracer(folder.path(), command);
    let mut others = counted_by_strace(folder.path(), command);
    // A refused `brk` returns the old break, which is no error to strace.
    if let (Some(own), Some(other)) = (own.get("brk"), others.get_mut("brk")) {
        assert_eq!(other.failed, 0);
        other.failed = own.failed;
    }
    assert_eq!(own, others);
    own
}

fn counted_by_tracer(folder: &Path, command: &[&str]) -> Counts {
    let (recording, report) = (folder.join("trace.vmt"), folder.join("report.json"));
    let output = tracer()
        .args(["run", "-o"])
        .arg(&recording)
        .arg("--report")
        .arg(&report)
        .arg("--")
        .args(REPEATABLE)
        .args(command)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let report = json(&report);
    assert_eq!(report["losses"]["events"], 0);

    let mut counts = Counts::new();
    let mut events = Reader::open(&recording).unwrap();
    while let Some(event) = events.read().unwrap() {
        if let Event::Call(call) = event
            && let Some(kind) = kind(&call.action)
        {
            counts.entry(kind).or_default().all += 1;
        }
    }
    for failed in report["failed_calls"].as_array().unwrap() {
        let kind = CALLS.iter().find(|(_, kind)| failed["call"] == *kind);
        let count = counts.entry(kind.unwrap().1).or_default();
        count.failed = failed["count"].as_u64().unwrap();
        count.all += count.failed;
    }
    counts
}

/// The name of the kind of call that has done this; `None` for one that failed, and is counted as such.
fn kind(action: &Action) -> Option<&'static str> {
    Some(TracedCall::of(action.kind()?)?.name)
}

fn counted_by_strace(folder: &Path, command: &[&str]) -> Counts {
    let path = folder.join("strace");
    let output = Command::new("strace")
        .args(["-f", "-qq", "-c", "-U", "name,calls,errors", "-o"])
        .arg(&path)
        .args(REPEATABLE)
        .args(command)
        .output()
        .expect("strace is there: `cargo xtask test` installs it");
    assert!(output.status.success(), "{output:?}");
    let mut counts = Counts::new();
    for line in fs::read_to_string(&path).unwrap().lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let Some((_, kind)) = CALLS.iter().find(|(name, _)| words.first() == Some(name)) else {
            continue;
        };
        // The last column is empty where no call has failed.
        let number = |at: usize| words.get(at).map_or(0, |word| word.parse().unwrap());
        let count = counts.entry(kind).or_default();
        count.all += number(1);
        count.failed += number(2);
    }
    counts
}

#[test]
fn every_kind_of_call_is_counted_as_strace_counts_it() {
    let folder = folder();
    let source = include_str!("../fixtures/every_call.c");
    let program = compile(folder.path(), source, &[]);
    let counts = counts_agree(&[program.to_str().unwrap()]);
    for (_, kind) in CALLS {
        let count = &counts[kind];
        assert!(
            count.all > count.failed && count.failed > 0,
            "{kind}: {count:?}"
        );
    }
}

#[test]
fn the_calls_of_the_reproducer_and_its_threads_are_counted_as_strace_counts_them() {
    let program = example("startup_growth");
    let counts = counts_agree(&[program.to_str().unwrap(), "--seconds", "1"]);
    assert!(counts["mmap"].all > 700, "{counts:?}");
}

/// One entry of `/proc/PID/smaps`.
#[derive(Debug)]
struct Entry {
    start: u64,
    end: u64,
    resident: u64,
}

fn smaps(pid: u32) -> Vec<Entry> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap();
    let mut entries: Vec<Entry> = Vec::new();
    for line in text.lines() {
        let (first, rest) = line.split_once(' ').unwrap();
        if let Some((start, end)) = first.split_once('-') {
            entries.push(Entry {
                start: u64::from_str_radix(start, 16).unwrap(),
                end: u64::from_str_radix(end, 16).unwrap(),
                resident: 0,
            });
        } else if first == "Rss:" {
            let kib: u64 = rest.trim().trim_end_matches(" kB").parse().unwrap();
            entries.last_mut().unwrap().resident = kib * 1024;
        }
    }
    entries
}

fn number(value: &Value, key: &str) -> u64 {
    value[key]
        .as_u64()
        .unwrap_or_else(|| panic!("{key}: {value}"))
}

/// Nothing is left to explain: the page of zeros is resident to neither, and pages of files, of the
/// vDSO and of what is out of reach are resident to both.
#[test]
fn what_is_resident_is_what_smaps_says_of_each_range_and_in_all() {
    let folder = folder();
    let path = folder.path().join("report.json");
    let source = include_str!("../fixtures/known_residence.c");
    let program = compile(folder.path(), source, &[]);
    let mut target = Target::start(program.to_str().unwrap(), &[]);
    let attached = Attached::to(target.pid(), &["--report", path.to_str().unwrap()]);
    target.act();
    attached.interrupt();

    let report = json(&path);
    let process = process(&report, u64::from(target.pid()));
    let entries = smaps(target.pid());
    let reservations = process["reservations"].as_array().unwrap();
    let mut compared = 0;
    for reservation in reservations {
        let start = number(reservation, "start");
        let end = start + number(reservation, "length");
        let within: Vec<_> = entries
            .iter()
            .filter(|entry| entry.start < end && entry.end > start)
            .collect();
        // What the kernel shows as one with a neighbour cannot be told apart there.
        let own = |entry: &&Entry| entry.start >= start && entry.end <= end;
        let shared = within.iter().filter(|entry| !own(entry));
        if shared.map(|entry| entry.resident).sum::<u64>() > 0 {
            continue;
        }
        let resident: u64 = within.iter().map(|entry| entry.resident).sum();
        assert_eq!(
            number(reservation, "resident_bytes"),
            resident,
            "{reservation} {within:?}"
        );
        compared += 1;
    }
    assert!(
        compared > 20,
        "{compared} of {} compared",
        reservations.len()
    );

    let all: u64 = entries.iter().map(|entry| entry.resident).sum();
    let sites = process["sites"].as_array().unwrap();
    let own: u64 = sites
        .iter()
        .map(|site| number(site, "resident_bytes"))
        .sum();
    assert_eq!(own, all, "the sum over call sites and that of smaps");
    assert_eq!(number(&process["resident_bytes"], "end"), all, "VmRSS");
}
