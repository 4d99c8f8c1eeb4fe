//! The program that is measured: it stays the same process, bare and traced, and times itself.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use xtask::process;

/// Whether its code keeps frame pointers. libc's does not, either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frames {
    Kept,
    /// It does not: what compilers do unless they are told otherwise.
    Omitted,
}

/// What is done many times in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// mmap and munmap of 64 KiB.
    Pairs,
    /// The same, one page touched between the two.
    Touched,
    /// First touch of a page.
    Faults,
    /// getppid: a system call that has nothing to do with memory.
    Calls,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Pairs => "pairs",
            Self::Touched => "touched",
            Self::Faults => "faults",
            Self::Calls => "calls",
        }
    }
}

/// A running workload. It ends with its input, so also when this process is killed.
pub(crate) struct Workload {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Workload {
    /// Starts a program that [`compile`] has made.
    pub(crate) fn start(program: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("the workload has no output")?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Has a batch done, `depth` frames below its `main`. Returns the nanoseconds of CPU time that
    /// one of them took its thread: that leaves out what the machine does meanwhile for others.
    pub(crate) fn time(&mut self, kind: Kind, count: u32, depth: u32) -> Result<f64> {
        let input = self.input.as_mut().context("the workload has ended")?;
        let mut answer = String::new();
        writeln!(input, "{} {count} {depth}", kind.name())
            .and_then(|()| self.output.read_line(&mut answer))
            .context("the workload does not answer")?;
        let Some(cpu) = cpu_time(&answer) else {
            bail!("the workload said `{}`", answer.trim_end());
        };
        Ok(cpu / f64::from(count))
    }
}

impl Drop for Workload {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// The second of the two numbers of an answer.
fn cpu_time(answer: &str) -> Option<f64> {
    let (_, cpu) = answer.trim_end().split_once(' ')?;
    cpu.parse().ok()
}

/// Compiles the workload with the compiler that Rust links with as well.
pub(crate) fn compile(workspace: &Path, folder: &Path, frames: Frames) -> Result<PathBuf> {
    let (name, option) = match frames {
        Frames::Kept => ("workload-fp", "-fno-omit-frame-pointer"),
        Frames::Omitted => ("workload-nofp", "-fomit-frame-pointer"),
    };
    let program = folder.join(name);
    let mut command = Command::new("cc");
    command
        .args(["-O2", "-Wall", "-Wextra", "-Werror", option])
        .arg("-o")
        .arg(&program)
        .arg(workspace.join("tracer/crates/bench/src/workload.c"));
    process::run(&mut command)?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_the_cpu_time_second() {
        assert_eq!(cpu_time("120 100\n"), Some(100.0));
        assert_eq!(cpu_time("120\n"), None);
        assert_eq!(cpu_time(""), None);
    }

    #[test]
    fn the_workload_does_every_kind_and_ends_with_its_input() {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/bench-test");
        std::fs::create_dir_all(&folder).expect("the target folder can be written");
        for frames in [Frames::Kept, Frames::Omitted] {
            let program = compile(&workspace, &folder, frames).expect("there is a C compiler");
            let mut workload = Workload::start(&program).expect("it starts");
            for kind in [Kind::Pairs, Kind::Touched, Kind::Faults, Kind::Calls] {
                assert!(workload.time(kind, 10, 3).expect("it answers") > 0.0);
            }
            let running = PathBuf::from(format!("/proc/{}", workload.id()));
            drop(workload);
            assert!(!running.exists());
        }
    }
}
