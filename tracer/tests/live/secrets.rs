//! The bytes of a stack are the target's secrets: they pass through the ring, and end there.
//!
//! A program keeps a secret on its stack that it has made at run time. Whatever the tracer writes is then
//! searched for any eight bytes of it, in every form in which a program would write them.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Instant,
};

use flate2::read::GzDecoder;
use rustix::process::{Pid as SystemPid, Resource, Rlimit, Signal};
use tracer::{
    capture::programs::{Options, Programs},
    capture::ring::{Drained, Ring},
};
use tracer_ledger::event::{Event, Frame, Pid, Stack, decode::Decoder, record::Record};
use tracer_recording::Writer;
use tracer_report::formats::FORMATS;

use crate::{
    command::{folder, tracer},
    compiled::{NO_FRAME_POINTERS, compile},
    meanwhile::{PATIENCE, stacks_with, wait_until},
};

/// Bytes of the secret, and of what is looked for.
const SECRET: usize = 32;
const PIECE: usize = 8;
/// Calls of one recursion (`tests/fixtures/secret.c`).
const DEEP: usize = 41;

/// The program, compiled without frame pointers, as distributions' code is.
fn program(folder: &Path) -> PathBuf {
    let source = include_str!("../fixtures/secret.c");
    compile(folder, source, &NO_FRAME_POINTERS)
}

/// What is written of the secret, by whoever writes it.
struct Secret {
    /// In each form: its name, and the pieces in it.
    forms: Vec<(&'static str, Vec<Vec<u8>>)>,
}

impl Secret {
    /// As the program has told it: a line of hexadecimal digits.
    fn told(line: &str) -> Self {
        let digit = |at: usize| u8::from_str_radix(&line[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..SECRET).map(|byte| digit(2 * byte)).collect();
        assert_eq!(line.trim().len(), 2 * SECRET);
        Self::of(&bytes)
    }

    fn of(bytes: &[u8]) -> Self {
        type Form = fn(&[u8]) -> Vec<u8>;
        let forms: [(&str, Form); 9] = [
            ("bytes", |piece| piece.to_vec()),
            ("hexadecimal", |piece| hexadecimal(piece).into_bytes()),
            ("hexadecimal, upper case", |piece| {
                hexadecimal(piece).to_uppercase().into_bytes()
            }),
            ("a number, hexadecimal", |piece| {
                format!("{:x}", word(piece)).into_bytes()
            }),
            ("a number, hexadecimal, upper case", |piece| {
                format!("{:X}", word(piece)).into_bytes()
            }),
            ("a number", |piece| word(piece).to_string().into_bytes()),
            ("a number of a recording", |piece| varint(word(piece))),
            ("a list of numbers", |piece| {
                let text = format!("{piece:?}");
                text.trim_matches(['[', ']']).into()
            }),
            ("escaped", |piece| {
                let text = format!("{:?}", bytes::Bytes::copy_from_slice(piece));
                text[2..text.len() - 1].into()
            }),
        ];
        let pieces = |form: Form| bytes.windows(PIECE).map(form).collect();
        Self {
            forms: forms.map(|(name, form)| (name, pieces(form))).to_vec(),
        }
    }

    /// The form in which something of it is in these bytes.
    fn found_in(&self, bytes: &[u8]) -> Option<&'static str> {
        let is_in = |piece: &Vec<u8>| memchr::memmem::find(bytes, piece).is_some();
        let mut forms = self.forms.iter();
        Some(forms.find(|(_, pieces)| pieces.iter().any(is_in))?.0)
    }

    /// Looks into everything in a folder; returns the names of the files.
    #[track_caller]
    fn is_in_no_file_of(&self, folder: &Path) -> Vec<String> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let bytes = content(&entry.path());
            assert!(!bytes.is_empty() || name.starts_with(".tracer"), "{name}");
            assert_eq!(self.found_in(&bytes), None, "in {name}");
            names.push(name);
        }
        names.sort();
        names
    }
}

fn word(piece: &[u8]) -> u64 {
    u64::from_le_bytes(piece.try_into().unwrap())
}

fn hexadecimal(piece: &[u8]) -> String {
    piece.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn varint(number: u64) -> Vec<u8> {
    postcard::to_allocvec(&number).unwrap()
}

/// What is in a file; in a recording, and in what gzip has made, also what is compressed there.
fn content(path: &Path) -> Vec<u8> {
    let mut bytes = fs::read(path).unwrap();
    if bytes.starts_with(b"\x89TRACER\n") {
        bytes.extend(decompressed(&bytes));
    }
    if bytes.starts_with(b"\x1f\x8b") {
        let mut plain = Vec::new();
        let packed = bytes.clone();
        GzDecoder::new(&packed[..]).read_to_end(&mut plain).unwrap();
        bytes.extend(plain);
    }
    bytes
}

/// What the whole blocks of a recording hold (the format: `capture/recording/mod.rs`).
fn decompressed(recording: &[u8]) -> Vec<u8> {
    let (mut plain, mut rest) = (Vec::new(), &recording[16..]);
    while let Some((head, behind)) = rest.split_at_checked(24) {
        let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap()) as usize;
        let Some((payload, behind)) = behind.split_at_checked(number(4)) else {
            break;
        };
        if head.starts_with(b"EVTS") {
            plain.extend(zstd::bulk::decompress(payload, number(8)).unwrap());
        }
        rest = behind;
    }
    assert!(!plain.is_empty());
    plain
}

/// A file name with every ending that `--report` takes.
fn reports() -> Vec<String> {
    let names = FORMATS
        .iter()
        .map(|format| format!("report{}", format.ending));
    names.collect()
}

/// A tracer that says all it can, and whose files all lie in one folder.
fn talkative(folder: &Path, log: &str) -> Command {
    let log = fs::File::create(folder.join(log)).unwrap();
    let mut command = tracer();
    command
        .env("RUST_LOG", "trace")
        .env("TMPDIR", folder)
        .current_dir(folder)
        .stderr(log);
    command
}

#[test]
fn the_search_finds_a_secret_in_every_form() {
    let bytes: Vec<u8> = (0..SECRET as u8).map(|byte| byte * 7 + 3).collect();
    let secret = Secret::of(&bytes);
    let piece = &bytes[5..5 + PIECE];
    let number = word(piece);
    for text in [
        hexadecimal(piece),
        format!("frame at {number:#x}"),
        format!("{{\"offset\":{number}}}"),
        format!("{piece:?}"),
        format!("{:?}", bytes::Bytes::copy_from_slice(piece)),
    ] {
        assert!(secret.found_in(text.as_bytes()).is_some(), "{text}");
    }
    assert_eq!(secret.found_in(&bytes[20..29]), Some("bytes"));
    assert!(secret.found_in(&varint(number)).is_some());
    assert_eq!(secret.found_in(&bytes[25..]), None);
}

#[test]
fn and_in_a_recording() {
    let folder = folder();
    let bytes: Vec<u8> = (0..SECRET as u8).map(|byte| byte * 7 + 3).collect();
    let frame = |offset| Frame {
        offset,
        ..Frame::default()
    };
    for (offset, found) in [(word(&bytes[9..17]), true), (word(&bytes[..8]) + 1, false)] {
        let path = folder.path().join("trace.vmt");
        let mut writer = Writer::create(&path).unwrap();
        // Over and over: zstd leaves nothing of it as it is.
        for _ in 0..100 {
            let frames = vec![frame(1), frame(offset)];
            let stack = Stack {
                frames,
                ..Stack::default()
            };
            writer.write(&Event::Stack(stack)).unwrap();
        }
        writer.finish().unwrap();
        let form = Secret::of(&bytes).found_in(&content(&path));
        assert_eq!(form, found.then_some("a number of a recording"));
    }
}

#[test]
fn a_stack_that_is_sent_whole_has_the_secret_in_it() {
    let folder = folder();
    let mut target = Secretive::start(&program(folder.path()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _context = runtime.enter();
    let options = Options::default();
    let mut programs = Programs::load(options).unwrap();
    let mut ring = Ring::new(programs.ring().unwrap()).unwrap();
    programs.attach(options.faults).unwrap();
    programs.select(Pid(target.child.id()), true).unwrap();
    let secret = target.act();

    let (mut decoder, mut drained) = (Decoder::default(), Drained::default());
    let (mut whole, began) = (0, Instant::now());
    while whole < DEEP {
        assert!(began.elapsed() < PATIENCE, "{whole} came");
        ring.drain(4096, &mut drained);
        for bytes in drained.records.drain(..) {
            let Record::Stack(stack) = decoder.decode(bytes).unwrap() else {
                continue;
            };
            let is_in = |stack: &[u8]| secret.found_in(stack) == Some("bytes");
            whole += usize::from(is_in(&stack.copied));
        }
    }
}

/// Runs the program with these words, with every kind of output; calls `meanwhile` with the unfinished
/// recording and then lets the program end. Returns how many of its stacks were found whole.
fn run(words: &[&str], meanwhile: impl FnOnce(&Path)) -> usize {
    let folder = folder();
    let program = program(folder.path());
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    let mut command = talkative(&files, "log");
    command.args(["run", "--verify", "100ms", "--full", "-o", "trace.vmt"]);
    let mut expected = vec!["log".to_owned(), "trace.vmt".to_owned()];
    for name in reports() {
        command.args(["--report", &name]);
        expected.push(name);
    }
    command.arg("--").arg(program).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut tracer = command.spawn().unwrap();
    meanwhile(&files.join("trace.vmt.partial"));
    drop(tracer.stdin.take());
    let output = tracer.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let secret = Secret::told(str::from_utf8(&output.stdout).unwrap());
    expected.sort();
    assert_eq!(secret.is_in_no_file_of(&files), expected);
    stacks_with(&files.join("trace.vmt"), "work")
}

#[test]
fn a_secret_on_a_stack_reaches_no_file() {
    let stacks = run(&["linger"], |recording| {
        wait_until(|| stacks_with(recording, "work") >= DEEP);
    });
    // What was searched is what there was to write.
    assert!(stacks >= DEEP, "{stacks}");
}

/// Then the kernel's walk is all that there is of its stacks, and it may have lost its way.
#[test]
fn nor_does_that_of_a_program_that_is_gone_before_anything_is_known_of_it() {
    run(&[], |_| ());
}

#[test]
fn nor_when_the_tracer_is_ended_in_the_middle() {
    for signal in [Signal::KILL, Signal::ABORT, Signal::TERM, Signal::INT] {
        let folder = folder();
        let mut target = Secretive::start(&program(folder.path()));
        let files = folder.path().join("files");
        fs::create_dir(&files).unwrap();
        let mut command = talkative(&files, "log");
        command.args(["attach", "--full", "-o", "trace.vmt", "--pid"]);
        command.arg(target.child.id().to_string());
        for name in reports() {
            command.args(["--report", &name]);
        }
        // SAFETY: one system call, which is allowed between fork and exec.
        unsafe {
            command.pre_exec(|| {
                let unlimited = Rlimit {
                    current: None,
                    maximum: None,
                };
                Ok(rustix::process::setrlimit(Resource::Core, unlimited)?)
            });
        }
        let mut tracer = command.stdout(Stdio::null()).spawn().unwrap();
        wait_until(|| text_of(&files.join("log")).contains("everything is attached"));
        let secret = target.act();
        let partial = files.join("trace.vmt.partial");
        wait_until(|| stacks_with(&partial, "work") >= DEEP);
        let pid = SystemPid::from_child(&tracer);
        rustix::process::kill_process(pid, signal).unwrap();
        let status = tracer.wait().unwrap();
        assert!(!status.core_dumped(), "{signal:?}: {status}");
        let names = secret.is_in_no_file_of(&files);
        assert!(
            names.iter().any(|name| name.contains("trace.vmt")),
            "{names:?}"
        );
        // A tracer that is asked to end writes everything: all of it has been searched.
        if [Signal::TERM, Signal::INT].contains(&signal) {
            let mut expected = vec!["log".to_owned(), "trace.vmt".to_owned()];
            expected.extend(reports());
            expected.sort();
            assert_eq!(names, expected, "{signal:?}");
        }
    }
}

fn text_of(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}

/// The program, told to wait.
struct Secretive {
    child: Child,
}

impl Secretive {
    fn start(program: &Path) -> Self {
        let mut child = Command::new(program)
            .arg("wait")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = [0; 6];
        let stdout = child.stdout.as_mut().unwrap();
        stdout.read_exact(&mut line).unwrap();
        assert_eq!(&line, b"ready\n");
        Self { child }
    }

    /// Lets it go on; its secret.
    fn act(&mut self) -> Secret {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(self.child.stdout.as_mut().unwrap());
        stdout.read_line(&mut line).unwrap();
        Secret::told(&line)
    }
}

impl Drop for Secretive {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
