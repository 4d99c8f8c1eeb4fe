//! The live view as a person uses it: in a terminal of tmux's, by its keys and by what is on the screen.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    command::{example, folder, json, process, refused, sites_with, text, tracer},
    target::Target,
};

/// A machine that is slow gets this long for anything.
const PATIENCE: Duration = Duration::from_secs(90);

/// A terminal with a shell in it, in a folder of its own.
struct Terminal {
    folder: TempDir,
}

impl Terminal {
    fn open(columns: u32, lines: u32) -> Self {
        let terminal = Self { folder: folder() };
        let size = [columns.to_string(), lines.to_string()];
        let shell = "env -u RUST_LOG -u NO_COLOR PS1='$ ' bash --norc -i";
        terminal.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            &size[0],
            "-y",
            &size[1],
            shell,
        ]);
        terminal.wait("the prompt", |screen| screen.contains('$'));
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux")
            .arg("-S")
            .arg(self.path().join("socket"))
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .output()
            .expect("tmux is there (`cargo xtask setup --test`, or apt-get install tmux)");
        assert!(output.status.success(), "tmux {arguments:?}: {output:?}");
        text(&output.stdout)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Types letters as they are.
    fn types(&self, letters: &str) {
        self.tmux(&["send-keys", "-l", letters]);
    }

    /// Types a line into the shell.
    fn line(&self, line: &str) {
        self.types(line);
        self.keys(&["Enter"]);
    }

    /// Until the screen is as wanted; it comes back.
    #[track_caller]
    fn wait(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let screen = self.tmux(&["capture-pane", "-p"]);
            if is_there(&screen) {
                return screen;
            }
            assert!(began.elapsed() < PATIENCE, "{what} did not come:\n{screen}");
            sleep(Duration::from_millis(50));
        }
    }

    #[track_caller]
    fn wait_for(&self, words: &str) -> String {
        self.wait(words, |screen| screen.contains(words))
    }

    /// The terminal's modes, as the shell sees them.
    fn modes(&self, name: &str) -> String {
        self.line(&format!("stty -a > {name}; echo modes-$((40 + 2))"));
        self.wait_for("modes-42");
        self.tmux(&["clear-history"]);
        self.line("clear");
        self.wait("a clear screen", |screen| !screen.contains("modes-42"));
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// Starts the tracer, whose id then is in the file `pid`.
    fn starts(&self, arguments: &str) {
        let binary = env!("CARGO_BIN_EXE_tracer");
        self.line(&format!(
            "sh -c 'echo $$ > pid; exec {binary} top {arguments}'"
        ));
    }

    fn tracer(&self) -> rustix::process::Pid {
        let text = fs::read_to_string(self.path().join("pid")).unwrap();
        rustix::process::Pid::from_raw(text.trim().parse().unwrap()).unwrap()
    }

    /// What is left when the view is gone: the shell, and modes as they were.
    #[track_caller]
    fn is_whole(&self, before: &str) {
        self.wait("the prompt", |screen| screen.trim_end().ends_with('$'));
        assert_eq!(self.modes("after"), before);
        let cursor = self.tmux(&["display-message", "-p", "#{cursor_flag} #{alternate_on}"]);
        assert_eq!(cursor.trim(), "1 0", "a cursor, and the usual screen");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let socket = self.path().join("socket");
        let _ = Command::new("tmux")
            .arg("-S")
            .arg(socket)
            .arg("kill-server")
            .output();
    }
}

#[test]
fn a_command_is_watched_paused_marked_filtered_saved_and_left() {
    let terminal = Terminal::open(120, 40);
    let before = terminal.modes("before");
    let program = example("startup_growth");
    let program = program.display();
    terminal.starts(&format!(
        "--output-of-command out -- {program} --seconds 300"
    ));
    terminal.wait("the table and the verdict", |screen| {
        screen.contains("by site, reserved") && screen.contains("keeps all it maps")
    });
    let screen = terminal.wait("the curves", |screen| {
        let line = screen.lines().find(|line| line.starts_with("resident"));
        line.is_some_and(|line| line.contains('█'))
    });
    assert!(
        screen
            .lines()
            .next()
            .unwrap()
            .starts_with("startup_growth · pid "),
        "{screen}"
    );
    assert!(screen.contains("none lost"), "{screen}");

    terminal.keys(&["m"]);
    terminal.wait_for("grown since the mark");
    terminal.keys(&["Space"]);
    let paused = terminal.wait_for("PAUSED at");
    let title = paused.lines().next().unwrap().to_owned();
    terminal.keys(&["Left"]);
    terminal.wait("a step back", |screen| {
        screen.contains("PAUSED at") && screen.lines().next() != Some(&title)
    });
    terminal.keys(&["Space"]);
    terminal.wait("the present", |screen| !screen.contains("PAUSED"));

    terminal.keys(&["/"]);
    terminal.types("leak");
    let filtered = terminal.wait("the filtered table", |screen| {
        let is_header = |line: &str| line.starts_with("1 by site");
        screen.lines().any(is_header) && screen.contains("leak_request_buffer")
    });
    let table = filtered
        .split_once("by site")
        .and_then(|(_, rest)| rest.split_once("──"))
        .map_or("", |(table, _)| table);
    assert!(table.contains("leak_request_buffer"), "{filtered}");
    assert!(!table.contains("reserve_"), "{filtered}");
    terminal.keys(&["Enter"]);
    terminal.keys(&["w"]);
    terminal.types("saved.json");
    terminal.keys(&["Enter"]);
    terminal.wait_for("written: saved.json");
    let report = json(&terminal.path().join("saved.json"));
    assert_eq!(report["schema"], "tracer.report/1");
    let pid = report["processes"][0]["pid"].as_u64().unwrap();
    assert!(!sites_with(process(&report, pid), "leak_request_buffer").is_empty());
    terminal.keys(&["w"]);
    terminal.types("saved.vmt");
    terminal.keys(&["Enter"]);
    terminal.wait_for("written: saved.vmt");
    let again = terminal.path().join("again.json");
    let replayed = tracer()
        .args(["report", "--report"])
        .args([&again, &terminal.path().join("saved.vmt")])
        .output()
        .unwrap();
    assert!(replayed.status.success(), "{}", text(&replayed.stderr));
    let again = json(&again);
    let (later, earlier) = (process(&again, pid), process(&report, pid));
    assert!(!sites_with(later, "leak_request_buffer").is_empty());
    // What is gathered becomes a block of the recording five times a second.
    const GATHERING: u64 = 1_000_000_000;
    let last = |process: &serde_json::Value| process["last_ns"].as_u64().unwrap();
    assert!(last(later) + GATHERING >= last(earlier));
    assert_eq!(later["ledger"]["difference_bytes"], 0);
    terminal.keys(&["w"]);
    terminal.types("saved.exe");
    terminal.keys(&["Enter"]);
    terminal.wait_for("cannot tell the format of saved.exe");

    terminal.keys(&["q"]);
    terminal.wait_for("released, all of it");
    terminal.is_whole(&before);
    assert!(
        !Path::new(&format!("/proc/{pid}")).exists(),
        "the command is ended"
    );
}

#[test]
fn sigterm_and_a_stop_leave_the_terminal_whole() {
    let target = Target::start(example("churn").to_str().unwrap(), &["1", "10"]);
    let terminal = Terminal::open(80, 24);
    let before = terminal.modes("before");
    terminal.starts(&format!("--pid {}", target.pid()));
    terminal.wait_for("churn · pid");
    terminal.keys(&["C-z"]);
    terminal.wait("the shell", |screen| screen.contains("Stopped"));
    terminal.is_whole(&before);
    terminal.line("fg");
    terminal.wait_for("churn · pid");
    let tracer = terminal.tracer();
    rustix::process::kill_process(tracer, rustix::process::Signal::TERM).unwrap();
    terminal.wait_for("attached for");
    terminal.is_whole(&before);
}

#[test]
fn sigquit_and_its_key_end_it_where_it_stands_and_leave_the_terminal_whole() {
    let target = Target::start(example("churn").to_str().unwrap(), &["1", "10"]);
    let terminal = Terminal::open(80, 24);
    terminal.line("ulimit -c 0");
    let before = terminal.modes("before");
    let quit: [&dyn Fn(); 2] = [
        &|| {
            let tracer = terminal.tracer();
            rustix::process::kill_process(tracer, rustix::process::Signal::QUIT).unwrap();
        },
        &|| terminal.keys(&["C-\\"]),
    ];
    for quit in quit {
        terminal.starts(&format!("--pid {}", target.pid()));
        terminal.wait_for("churn · pid");
        quit();
        terminal.wait_for("Quit");
        terminal.is_whole(&before);
    }
}

#[test]
fn when_the_target_ends_the_view_stays_and_says_so_until_a_signal_ends_it() {
    let target = Target::start(example("churn").to_str().unwrap(), &["1", "10"]);
    let terminal = Terminal::open(200, 60);
    let before = terminal.modes("before");
    terminal.starts(&format!("--quiet --pid {}", target.pid()));
    terminal.wait_for("churn · pid");
    drop(target);
    terminal.wait_for("ENDED: q quits");
    let tracer = terminal.tracer();
    rustix::process::kill_process(tracer, rustix::process::Signal::INT).unwrap();
    terminal.is_whole(&before);
}

#[test]
fn a_panic_leaves_the_terminal_whole_and_its_words_readable() {
    let terminal = Terminal::open(80, 24);
    let before = terminal.modes("before");
    terminal.line(&example("panicking_view").display().to_string());
    terminal.wait_for("as it was asked to");
    terminal.is_whole(&before);
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let output = tracer().args(["top", "--pid", "1"]).output().unwrap();
    refused(&output, &["terminal", "tracer attach"]);
    let output = tracer().args(["top", "--", "true"]).output().unwrap();
    refused(&output, &["terminal", "tracer attach"]);
}
