//! The list of processes.

use crate::frames::*;
use std::sync::Arc;

use ratatui::style::Modifier;
use tracer::top::state::{MainPart, State};
use tracer_analysis::summary::{Exit, Level, Process, Report, Verdict, Who};

struct One {
    pid: u32,
    ppid: u32,
    comm: &'static str,
    size: u64,
    level: Level,
    exit: Option<Exit>,
}

const ONE: One = One {
    pid: 0,
    ppid: 1,
    comm: "sh",
    size: 1 << 20,
    level: Level::Benign,
    exit: None,
};

fn machine(all: &[One]) -> Arc<Report> {
    let processes = all.iter().map(|one| {
        let who = Who {
            name: "keep".into(),
            site: "k3f1".into(),
            ..Who::default()
        };
        let mut process = Process {
            pid: one.pid,
            ppid: one.ppid,
            comm: one.comm.into(),
            cmdline: vec![one.comm.into(), format!("--number={}", one.pid)],
            exit: one.exit,
            last_ns: 9_000_000_000,
            verdict: Verdict {
                level: one.level,
                headline: format!("headline of {}.", one.pid),
                who: match one.level {
                    Level::Unknown | Level::Benign => Vec::new(),
                    _ => vec![who],
                },
                ..Verdict::default()
            },
            ..Process::default()
        };
        process.virtual_bytes.end = one.size;
        process
    });
    Arc::new(Report {
        duration_ns: 9_000_000_000,
        processes: processes.collect(),
        ..Report::default()
    })
}

/// A server with its children of which one leaks, what has ended, and what nobody could judge.
fn some() -> State {
    state([machine(&[
        One {
            pid: 10,
            comm: "server",
            size: 9 << 30,
            ..ONE
        },
        One {
            pid: 11,
            ppid: 10,
            comm: "worker",
            level: Level::Leak,
            ..ONE
        },
        One {
            pid: 12,
            ppid: 10,
            size: 2 << 30,
            exit: Some(Exit::Code(0)),
            ..ONE
        },
        One {
            pid: 13,
            comm: "agetty",
            level: Level::Unknown,
            ..ONE
        },
        One {
            pid: 14,
            size: 3 << 30,
            level: Level::Refused,
            exit: Some(Exit::Signal(6)),
            ..ONE
        },
    ])])
}

fn pids(state: &State) -> Vec<u32> {
    state.list.lines.iter().map(|line| line.pid).collect()
}

#[test]
fn the_list_has_the_worst_first_and_whoever_is_alive_before_who_has_ended() {
    let mut state = some();
    assert_eq!(state.page, MainPart::List);
    assert_eq!(pids(&state), [11, 10, 13, 14, 12]);
    assert_eq!(
        state.line, 0,
        "the row that the verdict is about is selected"
    );
    let text = drawn(&state, 120, 24);
    let line = |pid: &str| text.lines().find(|line| line.contains(pid)).unwrap();
    assert!(
        line("  13").contains("–        agetty --number=13"),
        "{text}"
    );
    assert!(
        line("  11").contains("LEAK     worker --number=11"),
        "{text}"
    );
    assert!(
        text.contains("5 processes, 3 alive · 1 ended as REFUSED"),
        "{text}"
    );
    assert!(text.contains("LEAK      headline of 11."), "{text}");
    let buffer = painted(&state, 120, 24);
    let (_, ended) = line_with(&buffer, "sh --number=12");
    let letters = ended.iter().filter(|cell| cell.symbol() != " ");
    assert!(
        letters
            .into_iter()
            .all(|cell| cell.modifier.contains(Modifier::DIM))
    );
    press(&mut state, "e");
    assert_eq!(pids(&state), [11, 10, 13]);
    assert!(drawn(&state, 120, 24).contains("3 alive · 2 ended, not shown"));
    press(&mut state, "e1");
    assert_eq!(pids(&state), [10, 11, 13, 14, 12], "by size");
    press(&mut state, "1");
    assert_eq!(pids(&state), [11, 13, 10, 12, 14], "the other way round");
    press(&mut state, "0");
    assert_eq!(pids(&state), [11, 10, 13, 14, 12]);
}

#[test]
fn the_list_has_a_filter_of_its_own_and_a_tree() {
    let mut state = some();
    press(&mut state, "/NUMBER=1");
    assert_eq!(pids(&state).len(), 5, "by the command line");
    press(&mut state, "3\n");
    assert_eq!((pids(&state), state.list.left_out), (vec![13], 4));
    press(&mut state, "\n");
    assert_eq!((state.page, state.pid), (MainPart::Process, Some(13)));
    assert_eq!(state.order.filter, "", "the table has another");
    press(&mut state, "\x1b\x1b");
    assert_eq!(pids(&state).len(), 5, "escape takes it away");
    press(&mut state, "/leak\n");
    assert_eq!(pids(&state), [11], "by the level");
    press(&mut state, "\x1bt");
    let depths: Vec<_> = state
        .list
        .lines
        .iter()
        .map(|line| (line.pid, line.depth))
        .collect();
    assert_eq!(depths, [(10, 0), (11, 1), (12, 1), (13, 0), (14, 0)]);
    let text = drawn(&state, 120, 24);
    assert!(text.contains("LEAK       worker"), "{text}");
}

#[test]
fn the_list_comes_when_a_second_process_does_unless_a_key_was_pressed() {
    let alone = || machine(&[One { pid: 10, ..ONE }]);
    let both = || machine(&[One { pid: 10, ..ONE }, One { pid: 11, ..ONE }]);
    assert_eq!(state([alone()]).page, MainPart::Process);
    assert_eq!(state([alone(), both()]).page, MainPart::List);
    let mut used = state([alone()]);
    press(&mut used, "j");
    used.take(both());
    assert_eq!(used.page, MainPart::Process);
}
