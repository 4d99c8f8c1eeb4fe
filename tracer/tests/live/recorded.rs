//! Programs recorded to their end, and the stacks that a recording has.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs,
    path::Path,
    process::{Command, Output},
};

use tracer_ledger::event::{Action, Event, Stack, StackId};
use tracer_recording::Reader;

use crate::{command::tracer, compiled::compile};

/// Records a program that is given these words. The ring holds it all: however slow the machine is, nothing is
/// lost.
pub fn record(path: &Path, program: &Path, words: &[&OsStr]) -> Output {
    record_by(tracer(), path, program, words)
}

/// The same by a tracer in an environment of its own.
pub fn record_by(mut tracer: Command, path: &Path, program: &Path, words: &[&OsStr]) -> Output {
    let output = tracer
        .args(["--quiet", "run", "--faults", "off"])
        .args(["--ring-size", "256MiB", "-o"])
        .arg(path)
        .arg("--")
        .arg(program)
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// Records a program that is given so many words and two libraries, each with the name of its function:
/// `small` and `large`, made of one source with frames of other sizes. It has to open them at one address.
pub fn record_libraries(path: &Path, program: &str, library: &str, words: &[&OsStr]) {
    let folder = path.parent().unwrap();
    let library = |name: &str, frame: u32| {
        let home = folder.join(name);
        fs::create_dir(&home).unwrap();
        let (named, frame) = (format!("-DNAME={name}"), format!("-DFRAME={frame}"));
        let options = [
            "-O2",
            "-fomit-frame-pointer",
            "-shared",
            "-fPIC",
            &named,
            &frame,
        ];
        compile(&home, library, &options)
    };
    let (small, large) = (library("small", 200), library("large", 800));
    let program = compile(folder, program, &["-ldl"]);
    let libraries: [&OsStr; 4] = [
        small.as_ref(),
        "small".as_ref(),
        large.as_ref(),
        "large".as_ref(),
    ];
    let output = record(path, &program, &[words, &libraries].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        !stderr.contains("elsewhere"),
        "this shows nothing: {stderr}"
    );
}

/// All stacks of a recording that lost nothing, and those of the mappings of 64 KiB.
pub fn stacks_of_maps(path: &Path) -> (HashMap<StackId, Stack>, Vec<StackId>) {
    let mut reader = Reader::open(path).unwrap();
    let (mut stacks, mut mapped) = (HashMap::new(), Vec::new());
    while let Some(event) = reader.read().unwrap() {
        match event {
            Event::Call(call) if matches!(call.action, Action::Map { length: 65536, .. }) => {
                mapped.push(call.stack);
            }
            Event::Stack(stack) => {
                stacks.insert(stack.id, stack);
            }
            Event::Loss(loss) => assert_eq!((loss.events, loss.stacks), (0, 0), "{loss:?}"),
            _ => {}
        }
    }
    (stacks, mapped)
}
