//! What the kernel learns of a program's code, so that a stack need not be sent whole.

use std::{collections::HashMap, ffi::OsStr, fs, path::Path, process::Output};

use tracer::{
    capture::recording::Reader,
    event::{Action, Event, Stack, StackId, StackQuality},
};

use crate::{
    command::{folder, tracer},
    compiled::compile,
};

/// Pairs of a call that maps and one that unmaps.
const PAIRS: u64 = 20_000;

/// Thirty calls deep it maps and unmaps; a rest now and then makes it last a second, which is longer than
/// it takes to read the unwind tables of its libraries.
const SOURCE: &str = r#"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
static volatile long sink;
__attribute__((noinline)) static void work(long pairs) {
    for (long i = 0; i < pairs; i++) {
        void *place = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(place, 1 << 16);
        if (i % 100 == 0) usleep(5000);
    }
}
__attribute__((noinline)) static void deep(int depth, long pairs) {
    volatile char frame[48];
    frame[0] = depth;
    if (depth > 0) deep(depth - 1, pairs); else work(pairs);
    sink += frame[0];
}
int main(int count, char **words) { deep(30, atol(words[1])); }
"#;

/// Records a program that is given these words.
pub fn record(path: &Path, program: &Path, words: &[&OsStr]) -> Output {
    let output = tracer()
        .args(["--quiet", "run", "--faults", "off", "-o"])
        .arg(path)
        .arg("--")
        .arg(program)
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// The stacks that were sent whole, of a program that was compiled so: at most so many records were
/// neither a call nor a fault. Each stack of the loop's calls must be complete.
fn sent_whole(options: &[&str]) -> u64 {
    let folder = folder();
    let program = compile(folder.path(), SOURCE, options);
    let path = folder.path().join("loop.vmt");
    record(&path, &program, &[PAIRS.to_string().as_ref()]);
    let (stacks, mapped) = stacks_of_maps(&path);
    assert_eq!(mapped.len() as u64, PAIRS);
    for id in mapped {
        let stack = &stacks[&id];
        let deep = stack
            .frames
            .iter()
            .filter(|frame| frame.function.as_deref() == Some("deep"));
        assert_eq!((stack.quality, deep.count()), (StackQuality::Complete, 31));
    }
    let mut reader = Reader::open(&path).unwrap();
    let (mut calls, mut records) = (0, 0);
    while let Some(event) = reader.read().unwrap() {
        match event {
            Event::Call(_) => calls += 1,
            Event::Ended(ended) => records = ended.events,
            _ => {}
        }
    }
    records - calls
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

#[test]
fn a_stack_without_frame_pointers_is_sent_whole_only_until_its_rules_are_learned() {
    let options = ["-O2", "-fomit-frame-pointer", "-fno-optimize-sibling-calls"];
    let whole = sent_whole(&options);
    assert!(whole < PAIRS / 2, "{whole} of {PAIRS} stacks came whole");
}

#[test]
fn so_is_one_with_frame_pointers() {
    let options = [
        "-O2",
        "-fno-omit-frame-pointer",
        "-fno-optimize-sibling-calls",
    ];
    let whole = sent_whole(&options);
    assert!(whole < PAIRS / 2, "{whole} of {PAIRS} stacks came whole");
}

/// A library that maps and unmaps from a frame of so many bytes, under a name of its own.
const LIBRARY: &str = r#"
#include <sys/mman.h>
#include <unistd.h>
int NAME(int pairs) {
    volatile char frame[FRAME];
    for (int i = 0; i < pairs; i++) {
        frame[i % FRAME] = i;
        void *place = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(place, 1 << 16);
        if (i % 100 == 0) usleep(5000);
    }
    return frame[0];
}
"#;

/// Opens one after the other; says on stderr if the second lies elsewhere than the first did.
const OPENS: &str = r#"
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **words) {
    void *first = 0;
    for (int i = 1; i + 1 < count; i += 2) {
        void *library = dlopen(words[i], RTLD_NOW);
        int (*call)(int) = dlsym(library, words[i + 1]);
        if (first && first != (void *)call) fprintf(stderr, "elsewhere\n");
        first = call;
        call(10000);
        dlclose(library);
    }
}
"#;

#[test]
fn what_was_learned_of_a_library_is_forgotten_with_it() {
    let folder = folder();
    let library = |name: &str, frame: u32| {
        let home = folder.path().join(name);
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
        compile(&home, LIBRARY, &options)
    };
    let (small, large) = (library("small", 200), library("large", 800));
    let program = compile(folder.path(), OPENS, &["-ldl"]);
    let path = folder.path().join("libraries.vmt");
    let words = [
        small.as_ref(),
        "small".as_ref(),
        large.as_ref(),
        "large".as_ref(),
    ];
    let output = record(&path, &program, &words);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        !stderr.contains("elsewhere"),
        "this shows nothing: {stderr}"
    );

    let (stacks, mapped) = stacks_of_maps(&path);
    let calls_of = |name: &str| {
        let calls = mapped.iter().filter(|id| {
            let stack = &stacks[id];
            let names: Vec<_> = stack
                .frames
                .iter()
                .filter_map(|f| f.function.as_deref())
                .collect();
            stack.quality == StackQuality::Complete
                && names.windows(2).any(|pair| pair == [name, "main"])
        });
        calls.count()
    };
    assert_eq!((calls_of("small"), calls_of("large")), (10_000, 10_000));
}
