//! The binary under test, and what it says.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

pub fn tracer() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracer"));
    command.env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// An example program of this package, built beside the tests.
pub fn example(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_tracer"))
        .with_file_name("examples")
        .join(name);
    assert!(path.exists(), "{} is not built", path.display());
    path
}

/// Python itself: what `python3` on the path is may be a script that starts many programs before it.
pub fn interpreter() -> String {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .unwrap();
    text(&output.stdout).trim().to_owned()
}

/// A number that the environment may set: more for a proof, less for a machine that is slow.
pub fn chosen(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |word| word.parse().unwrap())
}

pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Asserts exit code 2 and exactly one line on stderr with every one of these words in it.
#[track_caller]
pub fn refused(output: &Output, words: &[&str]) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("tracer: "), "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "{word:?} is not in {stderr}");
    }
}

/// A tracer attached to a process, its programs in place.
pub struct Attached {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Attached {
    /// Starts `tracer attach` and returns when it traces.
    pub fn to(pid: u32, options: &[&str]) -> Self {
        Self::with(&[&["--pid", &pid.to_string()], options].concat())
    }

    /// The same, to whomever the options say.
    pub fn with(options: &[&str]) -> Self {
        let mut child = tracer()
            .args(["-v", "attach"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut attached = Self { child, stderr };
        attached.wait_until_it_says("attached");
        attached
    }

    /// Waits for a line of its log with this word.
    pub fn wait_until_it_says(&mut self, word: &str) {
        let mut line = String::new();
        while !line.contains(word) {
            line.clear();
            let read = self.stderr.read_line(&mut line).unwrap();
            assert!(read > 0, "tracer ended: {:?}", self.child.wait());
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ctrl-C; what it then printed on stdout.
    pub fn interrupt(mut self) -> String {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        self.end()
    }

    /// Waits for its end; what it printed on stdout.
    pub fn end(&mut self) -> String {
        let mut stdout = String::new();
        let mut pipe = self.child.stdout.take().unwrap();
        pipe.read_to_string(&mut stdout).unwrap();
        let mut stderr = String::new();
        self.stderr.read_to_string(&mut stderr).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {stderr}");
        stdout
    }
}

/// The process of this id in a report.
#[track_caller]
pub fn process(report: &Value, pid: u64) -> &Value {
    let processes = report["processes"].as_array().unwrap();
    processes
        .iter()
        .rfind(|process| process["pid"] == pid)
        .unwrap_or_else(|| panic!("no process {pid} in the report"))
}

/// The call sites whose stack has a function of this name (its last component).
pub fn sites_with<'a>(process: &'a Value, function: &str) -> Vec<&'a Value> {
    let named = |frame: &Value| {
        let name = frame["function"].as_str().unwrap_or_default();
        name.rsplit("::").next() == Some(function)
    };
    let sites = process["sites"].as_array().unwrap();
    sites
        .iter()
        .filter(|site| site["frames"].as_array().unwrap().iter().any(named))
        .collect()
}

/// The sum of a figure over sites; `null` anywhere is an error.
#[track_caller]
pub fn sum(sites: &[&Value], key: &str) -> u64 {
    let figure = |site: &&Value| {
        site[key]
            .as_u64()
            .unwrap_or_else(|| panic!("{key}: {site}"))
    };
    sites.iter().map(figure).sum()
}
