//! Which process a report begins with: what died or was refused, then what leaks, then the largest.

use std::cmp::Reverse;
use std::collections::HashSet;

use tracer_analysis::signals;
use tracer_analysis::summary::{Level, Process, Report};

/// How much a process is what a report is about, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// It was refused something, killed for want of memory, or crashed.
    Victim,
    /// It leaks.
    Leak,
    /// It lives, or has ended.
    Own,
    /// It went on as another program: mostly the shell that set a limit.
    Stage,
}

/// All processes, in the order in which they are to be read.
#[must_use]
pub fn leading(report: &Report) -> Vec<&Process> {
    let begun: HashSet<(u32, u32)> = report
        .processes
        .iter()
        .map(|process| (process.pid, process.stage))
        .collect();
    let mut processes: Vec<&Process> = report.processes.iter().collect();
    processes.sort_by_key(|process| {
        let goes_on = process.exit.is_none() && begun.contains(&(process.pid, process.stage + 1));
        (
            subject(process, goes_on),
            Reverse(process.virtual_bytes.peak),
        )
    });
    processes
}

fn subject(process: &Process, goes_on: bool) -> Subject {
    let killed = process.ending.is_some_and(|ending| {
        ending.oom_kill.is_some() || ending.signal.is_some_and(signals::is_crash)
    });
    match process.verdict.level {
        Level::Refused => Subject::Victim,
        _ if killed => Subject::Victim,
        Level::Leak => Subject::Leak,
        _ if goes_on => Subject::Stage,
        _ => Subject::Own,
    }
}

#[cfg(test)]
mod tests {
    use super::leading;
    use tracer_analysis::summary::{Ending, Exit, Level, OomKill, Process, Report, Span, Verdict};

    fn process((pid, stage): (u32, u32), peak: u64, level: Level) -> Process {
        Process {
            pid,
            stage,
            virtual_bytes: Span {
                peak,
                ..Span::default()
            },
            verdict: Verdict {
                level,
                ..Verdict::default()
            },
            ..Process::default()
        }
    }

    fn ended(process: Process, ending: Ending) -> Process {
        let exit = ending.signal.map_or(Exit::Code(0), Exit::Signal);
        Process {
            exit: Some(exit),
            ending: Some(ending),
            ..process
        }
    }

    #[test]
    fn victims_come_first_then_leaks_then_the_largest_and_a_stage_before_another_last() {
        let by = |signal, oom_kill| Ending {
            signal,
            oom_kill,
            ..Ending::default()
        };
        let processes = vec![
            process((1, 0), 900, Level::Benign),
            ended(process((1, 1), 5, Level::Benign), by(None, None)),
            process((2, 0), 800, Level::Unknown),
            process((3, 0), 10, Level::Leak),
            process((4, 0), 4, Level::Refused),
            ended(process((5, 0), 3, Level::Benign), by(Some(11), None)),
            ended(
                process((6, 0), 2, Level::Refused),
                by(Some(9), Some(OomKill::Cgroup)),
            ),
            ended(process((7, 0), 1, Level::Benign), by(Some(15), None)),
        ];
        let report = Report {
            processes,
            ..Report::default()
        };
        let order: Vec<_> = leading(&report)
            .iter()
            .map(|one| (one.pid, one.stage))
            .collect();
        assert_eq!(
            order,
            [
                (4, 0),
                (5, 0),
                (6, 0),
                (3, 0),
                (2, 0),
                (1, 1),
                (7, 0),
                (1, 0)
            ]
        );
    }
}
