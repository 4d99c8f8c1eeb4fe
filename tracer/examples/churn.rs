//! A process in churn, for tests: threads that map, protect and unmap as fast as they can.
//!
//! `churn THREADS PAIRS`: for each line on its stdin every thread makes so many mappings of
//! [`LENGTH`] bytes and unmaps each again; then it says `done`. `churn THREADS endless`: from its start
//! to the end of its stdin, with small pauses.

use std::{
    io::{BufRead as _, Read as _, Write as _},
    ptr,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Bytes of each mapping.
const LENGTH: usize = 5 * 4096;
/// Mappings between two pauses of an endless thread.
const BETWEEN: usize = 2;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let threads: usize = number(arguments.next());
    let pairs = arguments.next();
    if pairs.as_deref() == Some("endless") {
        endless(threads);
    } else {
        at_each_line(threads, number(pairs));
    }
}

fn number(argument: Option<String>) -> usize {
    argument
        .and_then(|text| text.parse().ok())
        .expect("usage: churn THREADS PAIRS|endless")
}

fn say(word: &str) {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{word}").expect("stdout is open");
    stdout.flush().expect("stdout is open");
}

/// The threads are there before the first line: between `ready` and the last `done` the process makes
/// no other call that changes its address space.
fn at_each_line(threads: usize, pairs: usize) {
    let (begin, end) = (Barrier::new(threads + 1), Barrier::new(threads + 1));
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                begin.wait();
                while !over.load(Ordering::Relaxed) {
                    (0..pairs).for_each(|_| pair());
                    end.wait();
                    begin.wait();
                }
            });
        }
        say("ready");
        let mut byte = [0];
        while std::io::stdin().read(&mut byte).is_ok_and(|read| read == 1) {
            if byte == *b"\n" {
                begin.wait();
                end.wait();
                say("done");
            }
        }
        over.store(true, Ordering::Relaxed);
        begin.wait();
    });
}

fn endless(threads: usize) {
    let ends = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !ends.load(Ordering::Relaxed) {
                    (0..BETWEEN).for_each(|_| pair());
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
        }
        say("ready");
        std::io::stdin().lock().lines().for_each(drop);
        ends.store(true, Ordering::Relaxed);
    });
}

/// Maps, protects a part, touches another, unmaps.
fn pair() {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, used only here and unmapped whole.
    unsafe {
        let at = libc::mmap(ptr::null_mut(), LENGTH, protection, flags, -1, 0);
        assert_ne!(at, libc::MAP_FAILED);
        assert_eq!(libc::mprotect(at, 4096, libc::PROT_READ), 0);
        at.cast::<u8>().add(LENGTH - 1).write_volatile(1);
        assert_eq!(libc::munmap(at, LENGTH), 0);
    }
}
