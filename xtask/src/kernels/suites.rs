//! What is run on each kernel: the tests that ask the kernel, as `cargo xtask test` builds them, and
//! in guests the tool as `cargo xtask build` builds it: under emulation an unoptimised collector is
//! too slow for the events it is sent.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use xtask::process;

use crate::commands;

/// A target of the package `tracer`, in cargo's words.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Target {
    Library,
    Tool,
    Test(&'static str),
}

/// What a suite is before it is built.
struct Plan {
    name: &'static str,
    target: Target,
    arguments: &'static [&'static str],
    /// Tests that cannot run in a guest, each with the reason.
    not_in_guests: &'static [(&'static str, &'static str)],
}

const PLANS: [Plan; 4] = [
    Plan {
        name: "doctor",
        target: Target::Tool,
        arguments: &["doctor"],
        not_in_guests: &[],
    },
    Plan {
        name: "capture",
        target: Target::Library,
        arguments: &["capture::"],
        not_in_guests: &[],
    },
    Plan {
        name: "ledger_kernel",
        target: Target::Test("ledger_kernel"),
        arguments: &[],
        not_in_guests: &[],
    },
    Plan {
        name: "live",
        target: Target::Test("live"),
        arguments: &[],
        not_in_guests: &[
            (
                "attach::a_worker_of_a_node_that_already_runs_is_attributed",
                "needs node, which is larger than all else in a guest",
            ),
            (
                "beginning::the_mappings_of_a_program_with_holes_between_its_segments_are_told_at_its_exec",
                "needs a C compiler",
            ),
            (
                "beginning::a_program_that_a_32_bit_one_begins_is_exact",
                "needs a C compiler",
            ),
            (
                "beginning::a_32_bit_program_that_already_runs_is_refused_as_one",
                "needs a C compiler",
            ),
            ("code::", "needs a C compiler"),
            ("gone::", "needs a C compiler"),
            ("learned::", "needs a C compiler"),
            ("outsider::", "needs a C compiler and strace"),
            ("patterns::", "needs a C compiler and node"),
            ("truth::", "needs two C compilers"),
            ("renamed::", "needs a C compiler"),
            ("secrets::", "needs a C compiler"),
            ("top::", "needs tmux"),
            ("touches::every", "needs a C compiler"),
            ("touches::of_a", "needs a C compiler"),
            ("verdicts::", "needs a C compiler"),
        ],
    },
];

/// A suite, ready to be run.
pub(super) struct Suite {
    pub(super) name: &'static str,
    /// Its program, at the same path in a guest.
    pub(super) program: PathBuf,
    /// What it is called with everywhere.
    pub(super) arguments: Vec<OsString>,
    /// What it is called with in a guest besides.
    pub(super) guest_arguments: Vec<OsString>,
    /// The working folder: that of the package, as under cargo.
    pub(super) folder: PathBuf,
    /// Whether it counts its tests, as the test harness does.
    pub(super) counts: bool,
}

/// Everything that was built.
pub(super) struct Suites {
    /// In the order in which they are run.
    pub(super) all: Vec<Suite>,
    /// Other programs that the tests start by the path at which they were built.
    pub(super) examples: Vec<PathBuf>,
    /// The tool, at the path where the tests look for it.
    pub(super) tool: PathBuf,
}

/// Builds the tool for guests; returns where it is.
pub(super) fn build_tool(workspace: &Path) -> Result<PathBuf> {
    commands::build(workspace)
}

/// Builds the tests, and what they run on this machine: the tool and the examples. To be run are `only`
/// these suites, or of a suite these tests (`live::storm`); if none is named, all.
pub(super) fn build(workspace: &Path, only: &[String]) -> Result<Suites> {
    for name in only {
        if !PLANS.iter().any(|plan| plan.tests(name).is_some()) {
            bail!("there is no suite {name}");
        }
    }
    let mut tests = cargo(workspace, "test");
    tests.args(["--no-run", "--lib"]);
    for plan in &PLANS {
        if let Target::Test(name) = plan.target {
            tests.args(["--test", name]);
        }
    }
    let mut programs = cargo(workspace, "build");
    programs.args(["--bins", "--examples"]);
    let mut built = Built::default();
    for command in [&mut tests, &mut programs] {
        built.read(&messages(command)?);
    }
    Ok(Suites {
        all: PLANS
            .iter()
            .filter_map(|plan| plan.suite(&built, workspace, only).transpose())
            .collect::<Result<_>>()?,
        examples: built.examples.values().cloned().collect(),
        tool: built.program(Target::Tool)?,
    })
}

fn cargo(workspace: &Path, command: &str) -> Command {
    let mut cargo = process::cargo(workspace);
    cargo.args([command, "--locked", "--package", "tracer"]);
    cargo.arg("--message-format=json-render-diagnostics");
    cargo
}

/// What cargo says of what it built.
fn messages(cargo: &mut Command) -> Result<String> {
    let shown = process::shown(cargo);
    eprintln!("+ {shown}");
    let answer = cargo
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !answer.status.success() {
        bail!("`{shown}` failed: {}", answer.status);
    }
    Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
}

impl Plan {
    /// Which of this suite's tests are named: an empty filter is all of them. `None`: another suite.
    fn tests<'a>(&self, name: &'a str) -> Option<&'a str> {
        let (suite, tests) = name.split_once("::").unwrap_or((name, ""));
        (suite == self.name).then_some(tests)
    }

    /// Fails if something that is named is no test any more: a suite that runs nothing passes, and a reason not
    /// to run what has another name now would be none.
    fn check(&self, tests: &[String], arguments: &[&str]) -> Result<()> {
        let is_there = |name: &str| tests.iter().any(|test| test.contains(name));
        let skipped = self.not_in_guests.iter().map(|(test, _)| *test);
        for name in arguments.iter().copied().chain(skipped) {
            if !is_there(name) {
                bail!("no test of the suite {} is named {name}", self.name);
            }
        }
        if tests.is_empty() {
            bail!("the suite {} has no test", self.name);
        }
        Ok(())
    }

    /// `None` if only others are to be run.
    fn suite(&self, built: &Built, workspace: &Path, only: &[String]) -> Result<Option<Suite>> {
        let mut arguments: Vec<&str> = only.iter().filter_map(|name| self.tests(name)).collect();
        if arguments.is_empty() && !only.is_empty() {
            return Ok(None);
        }
        if arguments.iter().all(|tests| tests.is_empty()) {
            arguments = self.arguments.to_vec();
        }
        let program = built.program(self.target)?;
        if self.target != Target::Tool {
            self.check(&tests_of(&program)?, &arguments)?;
        }
        let skipped = self
            .not_in_guests
            .iter()
            .flat_map(|(test, _)| ["--skip".into(), (*test).into()]);
        Ok(Some(Suite {
            name: self.name,
            program,
            arguments: arguments.into_iter().map(OsString::from).collect(),
            guest_arguments: skipped.collect(),
            folder: workspace.join("tracer"),
            counts: self.target != Target::Tool,
        }))
    }
}

/// The names of a program's tests.
fn tests_of(program: &Path) -> Result<Vec<String>> {
    let mut list = Command::new(program);
    list.args(["--list", "--format", "terse"]);
    let shown = process::shown(&list);
    let answer = list
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !answer.status.success() {
        bail!("`{shown}` failed: {}", answer.status);
    }
    Ok(String::from_utf8_lossy(&answer.stdout)
        .lines()
        .filter_map(|line| Some(line.strip_suffix(": test")?.to_owned()))
        .collect())
}

/// The programs that cargo reports to have built.
#[derive(Default)]
struct Built {
    targets: HashMap<String, PathBuf>,
    examples: HashMap<String, PathBuf>,
}

impl Built {
    /// Reads cargo's messages, one JSON object a line ("compiler-artifact", The Cargo Book, External
    /// tools).
    fn read(&mut self, messages: &str) {
        for line in messages.lines() {
            let Ok(message) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            let target = &message["target"];
            let (Some(program), Some(name), Some(kind)) = (
                message["executable"].as_str(),
                target["name"].as_str(),
                target["kind"][0].as_str(),
            ) else {
                continue;
            };
            let tests = message["profile"]["test"] == true;
            let program = PathBuf::from(program);
            match (kind, tests) {
                ("example", _) => self.examples.insert(name.to_owned(), program),
                ("test", _) => self.targets.insert(format!("test {name}"), program),
                ("lib", true) => self.targets.insert("library".to_owned(), program),
                ("bin", false) => self.targets.insert("tool".to_owned(), program),
                _ => None,
            };
        }
    }

    fn program(&self, target: Target) -> Result<PathBuf> {
        let key = match target {
            Target::Library => "library".to_owned(),
            Target::Tool => "tool".to_owned(),
            Target::Test(name) => format!("test {name}"),
        };
        let program = self.targets.get(&key);
        Ok(program
            .with_context(|| format!("cargo built no {key}"))?
            .clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_among_cargos_messages() {
        let mut built = Built::default();
        built.read(
            r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"tracer"},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"tracer"},"profile":{"test":true},"executable":"/t/deps/tracer-1"}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"tracer"},"profile":{"test":true},"executable":"/t/deps/tracer-2"}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"tracer"},"profile":{"test":false},"executable":"/t/tracer"}
{"reason":"compiler-artifact","target":{"kind":["test"],"name":"live"},"profile":{"test":true},"executable":"/t/deps/live-3"}
{"reason":"compiler-artifact","target":{"kind":["example"],"name":"grow"},"profile":{"test":false},"executable":"/t/examples/grow"}
{"reason":"build-finished","success":true}"#,
        );
        let program = |target| built.program(target).ok();
        assert_eq!(program(Target::Library), Some("/t/deps/tracer-1".into()));
        assert_eq!(program(Target::Tool), Some("/t/tracer".into()));
        assert_eq!(program(Target::Test("live")), Some("/t/deps/live-3".into()));
        assert_eq!(program(Target::Test("other")), None);
        assert_eq!(built.examples["grow"], Path::new("/t/examples/grow"));
    }

    #[test]
    fn what_is_named_must_be_the_name_of_a_test() {
        let plan = Plan {
            name: "live",
            target: Target::Test("live"),
            arguments: &[],
            not_in_guests: &[("top::", "needs tmux")],
        };
        let tests = ["storm::of_calls", "top::is_drawn"].map(str::to_owned);
        plan.check(&tests, &["storm"]).expect("all are there");
        plan.check(&tests, &[]).expect("all of them");
        let error = plan.check(&tests, &["calm"]).expect_err("no such test");
        assert_eq!(error.to_string(), "no test of the suite live is named calm");
        let error = plan.check(&tests[..1], &[]).expect_err("no such test");
        assert_eq!(
            error.to_string(),
            "no test of the suite live is named top::"
        );
        let of_all = Plan {
            not_in_guests: &[],
            ..plan
        };
        assert!(of_all.check(&[], &[]).is_err());
    }
}
