//! What a guest says on its serial console: the suites' own lines, and between them marks that tell
//! where each begins and how it ended.

use std::fmt;
use std::time::Duration;

use super::suites::Suite;

/// What marks begin with: nothing that a test prints.
const MARK: &str = "@vm-test ";

/// The mark before a suite's first line.
pub(super) fn begins(suite: &str) -> String {
    format!("{MARK}begins {suite}")
}

/// The mark after a suite's last line: its exit status, and how long it took.
pub(super) fn ended(suite: &str, status: i32, took: Duration) -> String {
    format!("{MARK}ended {suite} {status} {}", took.as_secs())
}

/// The same mark as a command of a shell that has the figures in its variables.
pub(super) fn ended_in_shell(suite: &str, status: &str, seconds: &str) -> String {
    format!("echo \"{MARK}ended {suite} {status} {seconds}\"")
}

/// The mark that all suites have been run.
pub(super) fn all_ended() -> String {
    format!("{MARK}all ended")
}

/// The mark that the kernel has complained, before the complaint.
pub(super) fn complaint() -> String {
    format!("{MARK}kernel: ")
}

/// What became of one suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) suite: String,
    fate: Fate,
    seconds: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    /// With the test harness's own summary, if it makes one.
    Passed(Option<String>),
    Failed(String),
}

impl Ending {
    /// Whether it passed.
    pub(super) fn is_success(&self) -> bool {
        matches!(self.fate, Fate::Passed(_))
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { suite, seconds, .. } = self;
        match &self.fate {
            Fate::Passed(None) => write!(f, "{suite:14} ok ({seconds} s)"),
            Fate::Passed(Some(summary)) => write!(f, "{suite:14} {summary} ({seconds} s)"),
            Fate::Failed(why) => write!(f, "{suite:14} FAILED: {why} ({seconds} s)"),
        }
    }
}

/// The state of a run, kept line by line.
pub(super) struct Progress {
    /// Names, and whether each counts its tests.
    suites: Vec<(&'static str, bool)>,
    endings: Vec<Ending>,
    summary: Option<String>,
    complaints: Vec<String>,
    complete: bool,
}

impl Progress {
    /// Nothing has been run yet.
    pub(super) fn new(suites: &[Suite]) -> Self {
        Self {
            suites: suites
                .iter()
                .map(|suite| (suite.name, suite.counts))
                .collect(),
            endings: Vec::new(),
            summary: None,
            complaints: Vec::new(),
            complete: false,
        }
    }

    /// Takes a line; true if it is for people.
    pub(super) fn line(&mut self, line: &str) -> bool {
        let Some(mark) = line.strip_prefix(MARK) else {
            if line.starts_with("test result: ") {
                self.summary = Some(line.to_owned());
            }
            return true;
        };
        let mut words = mark.split_whitespace();
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("begins"), ..) => self.summary = None,
            (Some("ended"), Some(suite), Some(status), Some(seconds)) => {
                self.end(suite, status, seconds.parse().unwrap_or_default());
            }
            (Some("kernel:"), ..) => self.complaints.push(mark.to_owned()),
            (Some("all"), ..) => self.complete = true,
            _ => {}
        }
        false
    }

    fn end(&mut self, name: &str, status: &str, seconds: u64) {
        let counts = self
            .suites
            .iter()
            .any(|(suite, counts)| *suite == name && *counts);
        let summary = self.summary.take();
        let fate = if status != "0" {
            let summary = summary.map_or_else(String::new, |summary| format!(", {summary}"));
            Fate::Failed(format!("exit status {status}{summary}"))
        } else if counts && !summary.as_deref().is_some_and(ran_something) {
            // A filter that matches nothing must not pass for a test that passed.
            Fate::Failed("no test was run".to_owned())
        } else {
            Fate::Passed(summary)
        };
        self.endings.push(Ending {
            suite: name.to_owned(),
            fate,
            seconds,
        });
    }

    /// Whether the last suite has ended.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// What became of each suite; one that never ended has failed.
    pub(super) fn endings(self) -> Vec<Ending> {
        let mut endings = self.endings;
        for (suite, _) in self.suites {
            if !endings.iter().any(|ending| ending.suite == suite) {
                endings.push(Ending {
                    suite: suite.to_owned(),
                    fate: Fate::Failed("it did not end".to_owned()),
                    seconds: 0,
                });
            }
        }
        if !self.complaints.is_empty() {
            endings.push(Ending {
                suite: "kernel log".to_owned(),
                fate: Fate::Failed(self.complaints.join("; ")),
                seconds: 0,
            });
        }
        endings
    }
}

/// Whether a summary of the test harness speaks of at least one passed test.
fn ran_something(summary: &str) -> bool {
    !summary.contains(" 0 passed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(suites: &[(&'static str, bool)]) -> Progress {
        Progress {
            suites: suites.to_vec(),
            endings: Vec::new(),
            summary: None,
            complaints: Vec::new(),
            complete: false,
        }
    }

    fn after(lines: &[&str]) -> Vec<Ending> {
        let mut progress = progress(&[("live", true)]);
        for line in lines {
            progress.line(line);
        }
        progress.endings()
    }

    fn took(status: i32) -> String {
        ended("live", status, Duration::from_secs(7))
    }

    #[test]
    fn a_suite_that_passed_shows_the_harness_own_summary() {
        let endings = after(&[
            &begins("live"),
            "test a ... ok",
            "test result: ok. 1 passed; 0 failed",
            &took(0),
        ]);
        assert_eq!(endings.len(), 1);
        assert!(endings[0].is_success());
        let shown = endings[0].to_string();
        assert!(shown.contains("ok. 1 passed; 0 failed (7 s)"), "{shown}");
    }

    #[test]
    fn an_exit_status_other_than_0_is_a_failure_whatever_was_printed() {
        let endings = after(&[&begins("live"), "test result: ok. 1 passed", &took(101)]);
        assert!(!endings[0].is_success());
    }

    #[test]
    fn a_suite_without_a_single_test_is_a_failure() {
        let summary = "test result: ok. 0 passed; 0 failed; 0 ignored";
        assert!(!after(&[&begins("live"), summary, &took(0)])[0].is_success());
        assert!(!after(&[&begins("live"), &took(0)])[0].is_success());
    }

    #[test]
    fn a_suite_that_never_ended_is_a_failure() {
        let endings = after(&[&begins("live"), "test a ... ok"]);
        assert!(!endings[0].is_success());
        assert!(endings[0].to_string().contains("did not end"));
    }

    #[test]
    fn what_the_kernel_complains_of_is_a_failure_of_its_own() {
        let complaint = format!("{}WARNING: CPU: 0 PID: 1", complaint());
        let endings = after(&["test result: ok. 1 passed", &took(0), &complaint]);
        assert!(endings[0].is_success());
        assert!(!endings[1].is_success());
    }

    #[test]
    fn marks_are_not_shown_and_the_last_one_completes_the_run() {
        let mut progress = progress(&[]);
        assert!(progress.line("test a ... ok"));
        assert!(!progress.line(&begins("live")));
        assert!(!progress.is_complete());
        assert!(!progress.line(&all_ended()));
        assert!(progress.is_complete());
    }
}
