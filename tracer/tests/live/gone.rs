//! Code that is gone when the collector comes to look: the kernel has told which file it was.

use std::{
    ffi::{CString, OsStr},
    fs,
    path::{Path, PathBuf},
};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use tracer_ledger::event::{Stack, StackQuality};

use crate::{
    command::{folder, tracer},
    compiled::compile,
    recorded::{record, record_by, record_libraries, stacks_of_maps},
};

/// Maps 64 KiB in a function of its own.
const PLACE: &str = r#"
#include <sys/mman.h>
#define PLACE mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
"#;

/// Starts itself again so many times, one after the other; each of them ends at once.
const FAMILY: &str = r#"
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
extern char **environ;
__attribute__((noinline)) static int only_this(void) { return PLACE == MAP_FAILED; }
int main(int count, char **words) {
    if (count < 2) return only_this();
    for (long i = atol(words[1]); i > 0; i--) {
        char *child[] = { words[0], 0 };
        pid_t pid;
        if (posix_spawn(&pid, words[0], 0, 0, child, environ)) return 1;
        waitpid(pid, 0, 0);
    }
}
"#;

/// A library that maps in a function with a frame of so many bytes, under a name of its own.
const LIBRARY: &str = r#"
int NAME(void) {
    volatile char frame[FRAME];
    frame[0] = PLACE == MAP_FAILED;
    return frame[0];
}
"#;

/// Opens the libraries in turn, so many times, and closes each before it opens the next. First it rests with
/// both of them open, for longer than it takes to look at a file that was never seen before.
const IN_TURN: &str = r#"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int count, char **words) {
    void *first = 0, *both[] = { dlopen(words[2], RTLD_NOW), dlopen(words[4], RTLD_NOW) };
    usleep(300000);
    dlclose(both[0]), dlclose(both[1]);
    for (long i = 0, turns = atol(words[1]); i < turns; i++) {
        void *library = dlopen(words[2 + i % 2 * 2], RTLD_NOW);
        int (*call)(void) = dlsym(library, words[3 + i % 2 * 2]);
        if (first && first != (void *)call) fprintf(stderr, "elsewhere\n");
        first = call;
        call();
        dlclose(library);
    }
}
"#;

fn with_place(source: &str) -> String {
    format!("{PLACE}{source}")
}

/// The functions of a complete stack.
fn functions(stack: &Stack) -> Vec<&str> {
    assert_eq!(stack.quality, StackQuality::Complete, "{stack:?}");
    let names = stack.frames.iter().map(|frame| frame.function.as_deref());
    names.map(|name| name.unwrap_or("?")).collect()
}

#[test]
fn a_process_that_ends_at_once_has_stacks_down_to_its_start() {
    const CHILDREN: usize = 100;
    let folder = folder();
    let options = ["-O2", "-fno-optimize-sibling-calls"];
    let program = compile(folder.path(), &with_place(FAMILY), &options);
    let path = folder.path().join("family.vmt");
    record(&path, &program, &[CHILDREN.to_string().as_ref()]);
    let (stacks, mapped) = stacks_of_maps(&path);
    assert_eq!(mapped.len(), CHILDREN);
    for id in mapped {
        let names = functions(&stacks[&id]);
        assert_eq!(names[..3], ["mmap", "only_this", "main"], "{names:?}");
        assert_eq!(names.last(), Some(&"_start"), "{names:?}");
    }
}

/// Starts each of these programs once, one after the other.
const EACH: &str = r#"
#include <spawn.h>
#include <sys/wait.h>
extern char **environ;
int main(int count, char **words) {
    for (int i = 1; i < count; i++) {
        char *child[] = { words[i], 0 };
        pid_t pid;
        if (posix_spawn(&pid, words[i], 0, 0, child, environ)) return 1;
        waitpid(pid, 0, 0);
    }
}
"#;

#[test]
fn programs_on_the_path_that_end_at_once_need_not_be_seen_alive() {
    const PROGRAMS: usize = 40;
    let folder = folder();
    let programs = folder.path().join("programs");
    fs::create_dir(&programs).unwrap();
    let options = ["-O2", "-fno-optimize-sibling-calls"];
    let family = compile(&programs, &with_place(FAMILY), &options);
    let each = compile(folder.path(), EACH, &options);
    // Files of their own, none of which anybody has looked at.
    let copies: Vec<PathBuf> = (0..PROGRAMS)
        .map(|number| {
            let copy = programs.join(format!("copy-{number}"));
            fs::copy(&family, &copy).unwrap();
            copy
        })
        .collect();
    let words: Vec<&OsStr> = copies.iter().map(|copy| copy.as_os_str()).collect();
    let path = folder.path().join("each.vmt");
    let mut tracer = tracer();
    tracer.env("PATH", &programs);
    record_by(tracer, &path, &each, &words);
    let (stacks, mapped) = stacks_of_maps(&path);
    assert_eq!(mapped.len(), PROGRAMS);
    for id in mapped {
        let names = functions(&stacks[&id]);
        assert_eq!(names[..3], ["mmap", "only_this", "main"], "{names:?}");
        assert_eq!(names.last(), Some(&"_start"), "{names:?}");
    }
}

#[test]
fn a_library_that_was_replaced_by_another_meanwhile_is_not_taken_for_it() {
    const TURNS: usize = 100;
    let folder = folder();
    let path = folder.path().join("turns.vmt");
    let library = with_place(LIBRARY);
    record_libraries(&path, IN_TURN, &library, &[TURNS.to_string().as_ref()]);
    assert_libraries(&path, TURNS);
}

/// A file system with layers, mounted as long as this lives. It shows another device than the kernel has for
/// its files, as a container's does.
struct Layers(PathBuf);

impl Layers {
    fn mount(folder: &Path) -> Self {
        let part = |name: &str| {
            let part = folder.join(name);
            fs::create_dir(&part).unwrap();
            part
        };
        let (lower, upper, work, merged) =
            (part("lower"), part("upper"), part("work"), part("merged"));
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            lower.display(),
            upper.display(),
            work.display()
        );
        let options = CString::new(options).unwrap();
        let none = MountFlags::empty();
        mount(c"overlay", &merged, c"overlay", none, &*options).unwrap();
        Self(merged)
    }
}

impl Drop for Layers {
    fn drop(&mut self) {
        unmount(&self.0, UnmountFlags::DETACH).unwrap();
    }
}

#[test]
fn nor_is_it_on_a_file_system_with_layers() {
    const TURNS: usize = 100;
    let folder = folder();
    let layers = Layers::mount(folder.path());
    let path = layers.0.join("turns.vmt");
    let library = with_place(LIBRARY);
    record_libraries(&path, IN_TURN, &library, &[TURNS.to_string().as_ref()]);
    assert_libraries(&path, TURNS);
}

/// Each stack is of the library whose turn it was, or of none where that is not known; most are.
fn assert_libraries(path: &Path, turns: usize) {
    let (stacks, mapped) = stacks_of_maps(path);
    assert_eq!(mapped.len(), turns);
    let mut right = 0;
    for (turn, id) in mapped.iter().enumerate() {
        let (own, other) = if turn % 2 == 0 {
            ("small", "large")
        } else {
            ("large", "small")
        };
        let Some(stack) = stacks.get(id) else {
            continue;
        };
        let passes = |name| {
            let mut frames = stack.frames.iter();
            frames.any(|frame| frame.function.as_deref() == Some(name))
        };
        assert!(!passes(other), "turn {turn}: {stack:?}");
        right += usize::from(stack.quality == StackQuality::Complete && passes(own));
    }
    // Their addresses are the same: a stack whose hash the kernel has sent before it knew of the change is none.
    assert!(right * 2 > turns, "{right} of {turns}");
}
