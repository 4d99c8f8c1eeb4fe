//! System calls as they are, each written down with its arguments, its result and its times.
//!
//! Nothing here allocates, and nothing leaves the memory it was given: it also runs in a child that
//! shares the parent's memory, and in one made by fork while other threads ran.

use std::cell::UnsafeCell;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One call: what was asked and what came back.
#[derive(Clone, Copy)]
pub struct Entry {
    tid: i32,
    name: &'static str,
    arguments: [u64; 6],
    /// The result, or the negative error number.
    result: i64,
    began: u64,
    ended: u64,
}

impl Entry {
    const EMPTY: Self = Self {
        tid: 0,
        name: "",
        arguments: [0; 6],
        result: 0,
        began: 0,
        ended: 0,
    };
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, last] = self.arguments;
        let (began, ended, tid, name) = (self.began, self.ended, self.tid, self.name);
        write!(
            f,
            "call {began} {ended} {tid} {name} {a:#x} {b:#x} {c:#x} {d:#x} {e:#x} {last:#x} = "
        )?;
        match self.result {
            error if error < 0 => write!(f, "{error}"),
            result => write!(f, "{result:#x}"),
        }
    }
}

/// The calls of one thread since the last pause.
pub struct Log {
    entries: UnsafeCell<[Entry; Self::CAPACITY]>,
    length: AtomicUsize,
}

// SAFETY: one task at a time writes (the thread whose log it is, or a task for which it waits), and
// others read only while that one waits at a barrier.
unsafe impl Sync for Log {}

impl Log {
    const CAPACITY: usize = 1024;

    /// An empty one.
    pub const fn new() -> Self {
        Self {
            entries: UnsafeCell::new([Entry::EMPTY; Self::CAPACITY]),
            length: AtomicUsize::new(0),
        }
    }

    /// Writes a call down, if there is room.
    fn push(&self, entry: Entry) {
        let length = self.length.load(Ordering::Relaxed);
        if length < Self::CAPACITY {
            // SAFETY: nobody else uses the log now (see above), and the index is within it.
            unsafe { (*self.entries.get())[length] = entry };
            self.length.store(length + 1, Ordering::Release);
        }
    }

    /// What was written down.
    pub fn entries(&self) -> &[Entry] {
        let length = self.length.load(Ordering::Acquire);
        // SAFETY: nobody writes now (see above).
        unsafe { &(&*self.entries.get())[..length] }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.length.store(0, Ordering::Release);
    }
}

/// Who makes calls: a thread and its log.
#[derive(Clone, Copy)]
pub struct Caller {
    tid: i32,
    log: &'static Log,
}

impl Caller {
    /// The current thread.
    pub fn current(log: &'static Log) -> Self {
        // SAFETY: asks for a number.
        let tid = unsafe { libc::syscall(libc::SYS_gettid) } as i32;
        Self { tid, log }
    }

    /// Its log.
    pub fn log(&self) -> &'static Log {
        self.log
    }

    /// Makes a call: the result, or the negative error number.
    ///
    /// # Safety
    /// As for the call: memory that anything else relies on must stay as it is.
    pub unsafe fn call(&self, name: &'static str, number: i64, arguments: [u64; 6]) -> i64 {
        let began = now();
        let [a, b, c, d, e, f] = arguments;
        // SAFETY: by this function's own contract.
        let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
        let result = if result == -1 { -errno() } else { result };
        self.log.push(Entry {
            tid: self.tid,
            name,
            arguments,
            result,
            began,
            ended: now(),
        });
        result
    }
}

/// `CLOCK_MONOTONIC`, ns.
pub fn now() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the structure is the kernel's to fill.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn errno() -> i64 {
    // SAFETY: a thread's own number is always there.
    i64::from(unsafe { *libc::__errno_location() })
}
