//! The guest's file system, all of it in memory: the suites' programs at the paths where they were
//! built, the libraries they load, the programs that tests start, and an `init` that runs it all.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use tracer_ebpf_build::machine;

use super::archive::Archive;
use super::console;
use super::suites::{Suite, Suites};
use xtask::process;

/// Programs of this machine that tests start.
const PROGRAMS: [&str; 8] = [
    "cat", "mount", "sh", "sleep", "touch", "true", "umount", "unshare",
];

/// Where they are found in a guest, by links; everything is at its own path too.
const ON_PATH: &str = "/programs";

/// Folders that are links into `/usr` on a system with a merged one.
const MERGED: [&str; 5] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64"];

/// What is less in a guest, where emulation makes everything slow: numbers that tests take from their
/// environment.
const LESS: &str = "STORM_PAUSES=50 STORM_SEEDS=1 ATTACHES=6 PROGRAMS=100";

/// What `init` is made of.
const BUSYBOX: &str = "/busybox";

/// What tests import into python3.
const PYTHON_MODULES: [&str; 8] = [
    "ctypes",
    "mmap",
    "os",
    "signal",
    "subprocess",
    "sys",
    "threading",
    "time",
];

/// Writes the archive; `tool` is the tool as guests get it, `busybox` what `init` is made of.
pub(super) fn write(to: &Path, suites: &Suites, tool: &Path, busybox: &Path) -> Result<()> {
    let file = File::create(to).with_context(|| format!("cannot create {}", to.display()))?;
    let mut image = Image {
        archive: Archive::new(BufWriter::new(file)),
        stripped: to.with_extension("stripped"),
    };
    image
        .fill(suites, tool, busybox)
        .and_then(|()| Ok(image.archive.finish()?))
        .with_context(|| format!("cannot write {}", to.display()))?;
    Ok(())
}

struct Image {
    archive: Archive<BufWriter<File>>,
    /// Where a program is put for a moment, without its debug information.
    stripped: PathBuf,
}

impl Image {
    fn fill(&mut self, suites: &Suites, tool: &Path, busybox: &Path) -> Result<()> {
        for folder in MERGED {
            // As on this machine: tests compare paths that the kernel shows with those of programs.
            if let Ok(to) = fs::read_link(folder) {
                self.archive
                    .link(Path::new(folder), &to.to_string_lossy())?;
            }
        }
        for folder in ["/dev", "/proc", "/sys", "/run", "/root"] {
            self.archive.folder(Path::new(folder), 0o755)?;
        }
        self.archive.folder(Path::new("/tmp"), 0o1777)?;
        self.archive
            .program(Path::new("/init"), &init(&suites.all))?;
        self.file(busybox, Path::new(BUSYBOX))?;
        // First the tool: the tests' own is at the same path.
        self.built(tool, &suites.tool)?;
        for suite in &suites.all {
            self.built(&suite.program, &suite.program)?;
            self.archive.folder(&suite.folder, 0o755)?;
        }
        for example in &suites.examples {
            self.built(example, example)?;
        }
        for name in PROGRAMS {
            self.on_path(name, &installed(name)?)?;
        }
        // Where scripts look for it.
        self.program(Path::new("/bin/sh"))?;
        self.python()
    }

    /// A program that was built here: without its debug information, nine tenths of it, which nobody
    /// asks for in a guest and which would fill its memory.
    fn built(&mut self, from: &Path, at: &Path) -> Result<()> {
        if self.archive.has(at) {
            return Ok(());
        }
        let mut strip = Command::new("strip");
        strip
            .arg("--strip-debug")
            .arg("-o")
            .arg(&self.stripped)
            .arg(from);
        output(&mut strip)?;
        let stripped = self.stripped.clone();
        self.program_at(&stripped, at)
    }

    /// A program, to be found by its name.
    fn on_path(&mut self, name: &str, program: &Path) -> Result<()> {
        self.program(program)?;
        let to = program.to_string_lossy();
        Ok(self.archive.link(&Path::new(ON_PATH).join(name), &to)?)
    }

    fn program(&mut self, path: &Path) -> Result<()> {
        self.program_at(path, path)
    }

    /// A program or library, and all that the dynamic linker would load for it.
    fn program_at(&mut self, from: &Path, at: &Path) -> Result<()> {
        self.file(from, at)?;
        for library in libraries(from)? {
            self.file(&library, &library)?;
        }
        Ok(())
    }

    /// A file, in the folder that its folder really is; if its path is a link, that and what it leads
    /// to.
    fn file(&mut self, from: &Path, at: &Path) -> Result<()> {
        let cannot = || format!("cannot pack {}", from.display());
        let (Some(folder), Some(name)) = (at.parent(), at.file_name()) else {
            bail!("{} is no path of a file", at.display());
        };
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let at = folder.join(name);
        let real = from.canonicalize().with_context(cannot)?;
        if from.is_symlink() && real != at {
            self.archive.copy(&real, &real).with_context(cannot)?;
            return self
                .archive
                .link(&at, &real.to_string_lossy())
                .with_context(cannot);
        }
        self.archive.copy(&real, &at).with_context(cannot)
    }

    /// The interpreter, and of its library what [`PYTHON_MODULES`] load.
    fn python(&mut self) -> Result<()> {
        // What is on PATH may be a script that chooses one.
        let mut chosen = Command::new(installed("python3")?);
        let chosen = output(chosen.args(["-c", "import sys; print(sys.executable)"]))?;
        let python = PathBuf::from(chosen.trim_end());
        self.on_path("python3", &python)?;
        let list = format!(
            "import {}\n\
             for module in list(sys.modules.values()):\n    \
                 for kind in ('__file__', '__cached__'):\n        \
                     path = getattr(module, kind, None)\n        \
                     if path and os.path.exists(path): print(path)",
            PYTHON_MODULES.join(", ")
        );
        for file in output(Command::new(&python).args(["-c", &list]))?.lines() {
            let file = Path::new(file);
            if file.extension().is_some_and(|extension| extension == "so") {
                self.program(file)?;
            } else {
                self.file(file, file)?;
            }
        }
        Ok(())
    }
}

fn installed(program: &str) -> Result<PathBuf> {
    machine::on_path(program)
        .with_context(|| format!("{program} is not on PATH, and tests need it"))
}

/// What the dynamic linker loads for a program, itself included.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    // It fails for what is linked statically.
    let answer = Command::new("ldd")
        .arg(program)
        .output()
        .context("cannot start ldd")?;
    let lines = String::from_utf8_lossy(&answer.stdout).into_owned();
    if let Some(line) = lines.lines().find(|line| line.ends_with("not found")) {
        bail!("{} needs a library: {}", program.display(), line.trim());
    }
    Ok(libraries_listed(&lines))
}

/// Of lines like `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007fe885a1e000)`; the vDSO has
/// no path.
fn libraries_listed(lines: &str) -> Vec<PathBuf> {
    lines
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
        .map(PathBuf::from)
        .collect()
}

fn output(command: &mut Command) -> Result<String> {
    let shown = process::shown(command);
    let answer = command
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr);
        bail!("`{shown}` failed: {}", said.trim_end());
    }
    Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
}

/// The first process: mounts what every system has, runs the suites, tells what the kernel
/// complained of, and powers the machine off.
fn init(suites: &[Suite]) -> String {
    let mut script = format!(
        "#!{BUSYBOX} sh\n\
         export PATH={ON_PATH} HOME=/root TMPDIR=/tmp {LESS}\n\
         alias busybox={BUSYBOX}\n\
         busybox mount -t proc proc /proc\n\
         busybox mount -t sysfs sysfs /sys\n\
         busybox mount -t devtmpfs devtmpfs /dev\n\
         busybox ip link set lo up\n"
    );
    for suite in suites {
        let arguments = suite.arguments.iter().chain(&suite.guest_arguments);
        let words: Vec<String> = std::iter::once(suite.program.as_os_str())
            .chain(arguments.map(AsRef::as_ref))
            .map(quoted)
            .collect();
        // Through a pipe: what a suite starts must not take the console for a terminal.
        script.push_str(&format!(
            "(\ncd {}\necho {}\nbegan=$(busybox date +%s)\n{} </dev/null\nstatus=$?\n{}\n) 2>&1 | busybox cat\n",
            quoted(suite.folder.as_os_str()),
            quoted(OsStr::new(&console::begins(suite.name))),
            words.join(" "),
            console::ended_in_shell(suite.name, "$status", "$(($(busybox date +%s) - began))"),
        ));
    }
    script.push_str(&format!(
        "busybox dmesg | busybox grep -E 'WARNING:|BUG:|Oops|general protection' | \
         busybox sed {}\necho {}\nbusybox poweroff -f\n",
        quoted(OsStr::new(&format!("s/^/{}/", console::complaint()))),
        quoted(OsStr::new(&console::all_ended())),
    ));
    script
}

/// A word as the shell takes it for one.
fn quoted(word: &OsStr) -> String {
    format!("'{}'", word.to_string_lossy().replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_those_with_a_path() {
        let lines = "\tlinux-vdso.so.1 (0x00007fe887369000)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007fe885a1e000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007fe88736b000)";
        let found = libraries_listed(lines);
        let expected = [
            "/lib/x86_64-linux-gnu/libc.so.6",
            "/lib64/ld-linux-x86-64.so.2",
        ];
        assert_eq!(found, expected.map(PathBuf::from));
    }

    #[test]
    fn a_word_with_an_apostrophe_stays_one_word() {
        assert_eq!(quoted(OsStr::new("it's one")), r"'it'\''s one'");
    }

    #[test]
    fn the_exit_status_of_a_suite_is_told_after_its_last_line() {
        let suite = Suite {
            name: "live",
            program: "/t/live".into(),
            arguments: vec!["a b".into()],
            guest_arguments: vec!["--skip".into(), "x".into()],
            folder: "/t".into(),
            counts: true,
        };
        let script = init(&[suite]);
        let run = script
            .find("'/t/live' 'a b' '--skip' 'x' </dev/null")
            .expect("is run");
        let ended = script.find("ended live $status").expect("is told");
        assert!(run < ended);
        assert!(script.ends_with("poweroff -f\n"), "{script}");
    }
}
