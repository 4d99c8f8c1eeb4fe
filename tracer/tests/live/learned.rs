//! What the kernel learns of a program's code, so that a stack need not be sent whole.

use std::path::Path;

use tracer_ledger::event::{Event, Learning, StackQuality};
use tracer_recording::Reader;

use crate::{
    command::folder,
    compiled::{FRAME_POINTERS, NO_FRAME_POINTERS, compile},
    recorded::{record, record_libraries, stacks_of_maps},
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

/// How many stacks were sent whole, of a program that was compiled so. Each stack of the loop's calls must
/// be complete.
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
    let learning = learning(&path);
    assert!(
        learning.all.known + learning.all.whole >= PAIRS,
        "{learning:?}"
    );
    assert!(learning.hashes > 0, "{learning:?}");
    assert!(
        learning.memory_bytes.is_none_or(|bytes| bytes > 4096),
        "{learning:?}"
    );
    learning.all.whole
}

/// How stacks came in a recording.
fn learning(path: &Path) -> Learning {
    let mut reader = Reader::open(path).unwrap();
    let mut told = None;
    while let Some(event) = reader.read().unwrap() {
        if let Event::Learning(learning) = event {
            told = Some(learning);
        }
    }
    told.unwrap()
}

#[test]
fn a_stack_without_frame_pointers_is_sent_whole_only_until_its_rules_are_learned() {
    let whole = sent_whole(&NO_FRAME_POINTERS);
    assert!(whole < PAIRS / 2, "{whole} of {PAIRS} stacks came whole");
}

#[test]
fn so_is_one_with_frame_pointers() {
    let whole = sent_whole(&FRAME_POINTERS);
    assert!(whole < PAIRS / 2, "{whole} of {PAIRS} stacks came whole");
}

/// Maps once below an array of which pages were never touched, and once without it; then lives on until
/// its maps have been read.
const SPARSE: &str = r#"
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>
__attribute__((noinline)) static void *map(void) {
    void *place = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    __asm__ volatile("" ::: "memory");
    return place;
}
__attribute__((noinline)) static void sparse(void) {
    char room[16384];
    room[0] = 1;
    __asm__ volatile("" :: "r"(room) : "memory");
    map();
    __asm__ volatile("" :: "r"(room) : "memory");
}
/* A thread's stack is new: nothing has touched it. */
static void *thread(void *unused) {
    sparse();
    map();
    return unused;
}
int main(void) {
    pthread_t id;
    pthread_create(&id, 0, thread, 0);
    pthread_join(id, 0);
    sleep(1);
}
"#;

#[test]
fn pages_of_a_stack_that_nobody_has_touched_do_not_cut_it() {
    let folder = folder();
    let program = compile(folder.path(), SPARSE, &["-O1", "-fomit-frame-pointer"]);
    let path = folder.path().join("sparse.vmt");
    record(&path, &program, &[]);
    let (stacks, mapped) = stacks_of_maps(&path);
    assert_eq!(mapped.len(), 2);
    for id in mapped {
        assert_eq!(
            stacks[&id].quality,
            StackQuality::Complete,
            "{:?}",
            stacks[&id]
        );
    }
}

/// Children by the hundred, one after the other, each of which maps once. The kernel gives their address
/// spaces the same names again.
const CHILDREN: &str = r#"
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    for (int n = 0; n < 1500; n++) {
        pid_t child = fork();
        if (child == 0) {
            mmap(0, 1 << 16, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            _exit(0);
        }
        waitpid(child, 0, 0);
    }
}
"#;

#[test]
fn what_is_known_of_a_program_is_known_of_its_forked_copies() {
    let folder = folder();
    let program = compile(folder.path(), CHILDREN, &["-O2"]);
    let path = folder.path().join("children.vmt");
    record(&path, &program, &[]);
    let (stacks, mapped) = stacks_of_maps(&path);
    let without = mapped.iter().filter(|id| !stacks.contains_key(id));
    assert_eq!((mapped.len(), without.count()), (1500, 0));
    let learning = learning(&path);
    assert!(learning.all.whole < 750, "{learning:?}");
    assert!(learning.hashes < 100, "{learning:?}");
}

/// Maps V8's way: a part of the program itself as code, and unmaps it again, all the while.
const REMAPS: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
__attribute__((noinline)) static void work(void) {
    void *place = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(place, 1 << 16);
    __asm__ volatile("" ::: "memory");
}
int main(void) {
    int file = open("/proc/self/exe", O_RDONLY);
    for (int n = 0; n < 2000; n++) {
        void *code = mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
        work();
        munmap(code, 4096);
        usleep(500);
    }
}
"#;

#[test]
fn code_that_is_mapped_elsewhere_does_not_make_the_rest_forgotten() {
    let folder = folder();
    let options = ["-O2", "-fomit-frame-pointer"];
    let program = compile(folder.path(), REMAPS, &options);
    let path = folder.path().join("remaps.vmt");
    record(&path, &program, &[]);
    let (_, mapped) = stacks_of_maps(&path);
    assert_eq!(mapped.len(), 2000);
    let learning = learning(&path);
    assert!(learning.all.whole < 1000, "{learning:?}");
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
    let path = folder.path().join("libraries.vmt");
    record_libraries(&path, OPENS, LIBRARY, &[]);
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
