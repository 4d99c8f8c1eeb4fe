//! Against the live `/proc`: of this process, and of children whose every property is known.

mod identity;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit};

use super::*;
use tracer_ledger::event::{Mapping, Nanoseconds, Pid, Tid};

/// A child that lives until it is dropped.
pub(super) struct Child(std::process::Child);

impl Child {
    pub(super) fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// A `cat` that has started, has nothing to do, and waits.
    pub(super) fn idle() -> Self {
        let mut child = Self::start(&mut Command::new("cat"));
        child.answer();
        child
    }

    /// A shell in which a shell runs in which a `cat` waits.
    pub(super) fn nested() -> Self {
        let mut child = Self::start(Command::new("sh").args(["-c", "sh -c 'cat; :'; :"]));
        child.answer();
        child
    }

    pub(super) fn pid(&self) -> Pid {
        Pid(self.0.id())
    }

    /// Sends a line, and waits for one.
    fn answer(&mut self) -> String {
        self.0
            .stdin
            .as_mut()
            .unwrap()
            .write_all(b"hello\n")
            .unwrap();
        let mut line = String::new();
        let output = self.0.stdout.as_mut().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        line
    }

    /// Kills it and waits until it is a zombie, which it stays.
    fn become_zombie(&mut self) {
        use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

        self.0.kill().unwrap();
        let id = WaitId::Pid(Pid::from_child(&self.0));
        waitid(id, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Memory of this process, unmapped when dropped.
pub(super) struct OwnMemory {
    start: *mut libc::c_void,
    length: usize,
}

impl OwnMemory {
    /// Address space only.
    pub(super) fn none(length: usize) -> Self {
        Self::map(
            length,
            libc::PROT_NONE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    }

    /// Readable and writable, never in huge pages.
    pub(super) fn writable(length: usize) -> Self {
        let mapped = Self::none(length);
        mapped.protect(0, length / 4096, libc::PROT_READ | libc::PROT_WRITE);
        mapped
    }

    fn file(file: &fs::File, offset: i64, length: usize) -> Self {
        use std::os::fd::AsRawFd;
        Self::map(
            length,
            libc::PROT_READ,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            offset,
        )
    }

    fn map(length: usize, protection: i32, flags: i32, fd: i32, offset: i64) -> Self {
        // SAFETY: a new mapping where the kernel likes it touches no other memory.
        let start =
            unsafe { libc::mmap(std::ptr::null_mut(), length, protection, flags, fd, offset) };
        assert_ne!(start, libc::MAP_FAILED);
        // SAFETY: advice on our own mapping; it changes no content.
        unsafe { libc::madvise(start, length, libc::MADV_NOHUGEPAGE) };
        Self { start, length }
    }

    pub(super) fn start(&self) -> tracer_ledger::event::Address {
        tracer_ledger::event::Address(self.start.expose_provenance() as u64)
    }

    fn page(&self, page: usize) -> *mut u8 {
        assert!((page + 1) * 4096 <= self.length);
        self.start.cast::<u8>().wrapping_add(page * 4096)
    }

    pub(super) fn protect(&self, page: usize, pages: usize, protection: i32) {
        let start = self.page(page);
        self.page(page + pages - 1);
        // SAFETY: our own mapping, to which no reference exists.
        let result = unsafe { libc::mprotect(start.cast(), pages * 4096, protection) };
        assert_eq!(result, 0);
    }

    pub(super) fn write(&self, page: usize) {
        // SAFETY: within our own mapping; the caller has made the page writable.
        unsafe { self.page(page).write_volatile(1) };
    }

    pub(super) fn read(&self, page: usize) -> u8 {
        // SAFETY: within our own mapping; the caller has made the page readable.
        unsafe { self.page(page).read_volatile() }
    }
}

impl Drop for OwnMemory {
    fn drop(&mut self) {
        // SAFETY: our own mapping, to which no reference exists.
        unsafe { libc::munmap(self.start, self.length) };
    }
}

fn own() -> Pid {
    Pid(std::process::id())
}

/// A kernel thread: there are always some, outside of containers.
fn kernel_thread() -> Pid {
    Pid(2)
}

/// The mappings that `VmSize` counts: all but the kernel's own, which is in every process.
fn user(mappings: &[Mapping]) -> impl Iterator<Item = &Mapping> {
    mappings
        .iter()
        .filter(|mapping| mapping.name != "[vsyscall]")
}

#[test]
fn the_maps_of_a_quiet_process_add_up_to_its_vmsize() {
    let child = Child::idle();
    let mappings = maps(child.pid()).unwrap();
    let bytes: u64 = user(&mappings)
        .map(|mapping| mapping.end.0 - mapping.start.0)
        .sum();
    let (figures, _) = sample(child.pid(), Nanoseconds(7)).unwrap();
    assert_eq!(figures.virtual_bytes, bytes);
    assert!(figures.resident_bytes > 0 && figures.resident_bytes <= figures.virtual_bytes);
    assert!(figures.resident_peak_bytes >= figures.resident_bytes);
    assert_eq!(
        (figures.time, figures.pid, figures.maps),
        (Nanoseconds(7), child.pid(), None)
    );
    for name in ["[heap]", "[stack]"] {
        assert!(
            mappings.iter().any(|mapping| mapping.name == name),
            "{name}"
        );
    }
}

#[test]
fn a_file_mapping_shows_its_name_inode_and_offset_even_when_deleted() {
    use std::os::unix::fs::MetadataExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b\nc");
    fs::write(&path, [0; 3 * 4096]).unwrap();
    let file = fs::File::open(&path).unwrap();
    let mapped = OwnMemory::file(&file, 4096, 2 * 4096);
    fs::remove_file(&path).unwrap();
    let mappings = maps(own()).unwrap();
    let found = mappings
        .iter()
        .find(|mapping| mapping.start == mapped.start())
        .unwrap();
    assert_eq!(found.end.0, mapped.start().0 + 2 * 4096);
    assert_eq!((found.protection, found.shared), (1, true));
    assert_eq!(
        (found.offset, found.inode),
        (4096, file.metadata().unwrap().ino())
    );
    let name = format!("{}/a b\\012c (deleted)", folder.path().display());
    assert_eq!(found.name, name);
}

#[test]
fn ten_thousand_mappings_are_read() {
    const PAGES: usize = 10_000;
    let mapped = OwnMemory::none(PAGES * 4096);
    for page in (0..PAGES).step_by(2) {
        mapped.protect(page, 1, libc::PROT_READ);
    }
    let mappings = maps(own()).unwrap();
    let (start, end) = (mapped.start().0, mapped.start().0 + (PAGES * 4096) as u64);
    let inside: Vec<&Mapping> = mappings
        .iter()
        .filter(|mapping| mapping.start.0 >= start && mapping.end.0 <= end)
        .collect();
    // The last one may have been merged with what comes after it.
    assert!(inside.len() >= PAGES - 1, "{}", inside.len());
    for (page, mapping) in inside.iter().enumerate() {
        assert_eq!(mapping.start.0, start + page as u64 * 4096);
        assert_eq!(mapping.protection, u8::from(page % 2 == 0));
    }
}

#[test]
fn a_process_that_has_ended_is_told_from_one_without_memory() {
    let mut child = Child::idle();
    let pid = child.pid();
    child.become_zombie();
    let no_memory =
        |error: ProcError| matches!(error, ProcError::NoAddressSpace { pid: of } if of == pid);
    assert!(no_memory(maps(pid).unwrap_err()));
    assert!(no_memory(sample(pid, Nanoseconds(0)).unwrap_err()));
    assert!(no_memory(
        resident(pid, &[(tracer_ledger::event::Address(0), 4096)]).unwrap_err()
    ));
    assert_eq!(parent(pid).unwrap(), own());
    assert!(!descendants(own()).unwrap().contains(&pid));
    drop(child);
    let gone = |error: ProcError| matches!(error, ProcError::Gone { pid: of } if of == pid);
    assert!(gone(maps(pid).unwrap_err()));
    assert!(gone(sample(pid, Nanoseconds(0)).unwrap_err()));
    assert!(gone(resident(pid, &[]).unwrap_err()));
    assert!(gone(identity(pid).unwrap_err()));
    assert!(gone(threads(pid).unwrap_err()));
    assert!(gone(parent(pid).unwrap_err()));
    assert!(gone(descendants(pid).unwrap_err()));
    assert!(gone(is_kernel_thread(pid).unwrap_err()));
    let message = maps(pid).unwrap_err().to_string();
    assert_eq!(
        message,
        format!("no process {pid}: it has ended, or the id is wrong")
    );
}

#[test]
fn a_kernel_thread_is_one_and_has_no_memory() {
    assert!(is_kernel_thread(kernel_thread()).unwrap());
    assert!(!is_kernel_thread(own()).unwrap());
    let error = maps(kernel_thread()).unwrap_err();
    assert!(matches!(error, ProcError::NoAddressSpace { .. }), "{error}");
}

#[test]
fn a_process_whose_main_thread_has_ended_is_still_read() {
    let child = Headless::start();
    let pid = child.0;
    let state = || fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    while !state().contains(") Z ") {
        std::thread::yield_now();
    }
    let mappings = maps(pid).unwrap();
    let (figures, _) = sample(pid, Nanoseconds(0)).unwrap();
    assert!(user(&mappings).count() > 5 && figures.virtual_bytes > 0);
    let ranges: Vec<_> = user(&mappings)
        .map(|mapping| (mapping.start, mapping.end.0 - mapping.start.0))
        .collect();
    assert!(!resident(pid, &ranges).unwrap().is_empty());
    assert!(descendants(own()).unwrap().contains(&pid));
}

/// A child whose main thread has ended before its only other one, which waits for a signal.
struct Headless(Pid);

impl Headless {
    fn start() -> Self {
        extern "C" fn wait(_: *mut libc::c_void) -> libc::c_int {
            loop {
                // SAFETY: no preconditions.
                unsafe { libc::pause() };
            }
        }
        let stack = OwnMemory::writable(64 << 10);
        let top = stack.page(15).wrapping_add(4096).cast();
        // SAFETY: between fork and exit the child makes system calls only, and never returns; its
        // thread runs on a stack that is its own after the fork, and calls nothing but pause.
        unsafe {
            let pid = libc::fork();
            if pid == 0 {
                let flags =
                    libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SIGHAND | libc::CLONE_FILES;
                libc::clone(wait, top, flags, std::ptr::null_mut());
                libc::syscall(libc::SYS_exit, 0);
            }
            Self(Pid(u32::try_from(pid).expect("fork works")))
        }
    }
}

impl Drop for Headless {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

        let process = Pid::from_raw(self.0.0.cast_signed());
        process.map(|process| kill_process(process, Signal::KILL));
        waitpid(process, WaitOptions::empty()).ok();
    }
}

#[test]
fn threads_are_listed_with_their_names() {
    let (send, receive) = std::sync::mpsc::channel::<()>();
    let (told, tell) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().name("a (very) long name".into());
    let thread = thread
        .spawn(move || {
            told.send(Tid(rustix::thread::gettid().as_raw_nonzero().get() as u32))
                .unwrap();
            receive.recv().ok();
        })
        .unwrap();
    let tid = tell.recv().unwrap();
    let threads = threads(own()).unwrap();
    assert!(
        threads.contains(&(tid, "a (very) long n".into())),
        "{threads:?}"
    );
    assert!(threads.iter().any(|(tid, _)| tid.0 == own().0));
    assert!(threads.is_sorted());
    drop(send);
    thread.join().unwrap();
}

#[test]
fn descendants_come_with_their_parents_first() {
    let child = Child::nested();
    let found = descendants(child.pid()).unwrap();
    let [middle, innermost] = found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(parent(middle).unwrap(), child.pid());
    assert_eq!(parent(innermost).unwrap(), middle);
    assert_eq!(identity(innermost).unwrap().comm, "cat");
    let all = descendants(own()).unwrap();
    let at = |pid| all.iter().position(|&found| found == pid).unwrap();
    assert!(at(child.pid()) < at(middle) && at(middle) < at(innermost));
    assert_eq!(descendants(innermost).unwrap(), []);
}

#[test]
fn processes_are_found_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("a) R 1 {}", own());
    let path = folder.path().join(&name);
    fs::copy("/bin/cat", &path).unwrap();
    let child = Child::start(&mut Command::new(&path));
    while identity(child.pid()).unwrap().comm != name {
        std::thread::yield_now();
    }
    assert_eq!(pids_by_comm(&name).unwrap(), [child.pid()]);
    assert_eq!(pids_by_comm(&name[..name.len() - 1]).unwrap(), []);
    assert!(!is_kernel_thread(child.pid()).unwrap());
    assert_eq!(parent(child.pid()).unwrap(), own());
}

#[test]
fn a_name_longer_than_the_kernel_keeps_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("{:015}-and-more", own());
    let path = folder.path().join(&name);
    fs::copy("/bin/cat", &path).unwrap();
    let mut child = Child::start(&mut Command::new(&path));
    child.answer();
    assert_eq!(pids_by_comm(&name).unwrap(), [child.pid()]);
    child.become_zombie();
    assert_eq!(pids_by_comm(&name).unwrap(), []);
}

#[test]
fn neither_this_process_nor_kernel_threads_are_found_by_name() {
    let name = identity(own()).unwrap().comm;
    assert!(!pids_by_comm(&name).unwrap().contains(&own()));
    let name = identity(kernel_thread()).unwrap().comm;
    assert_eq!(pids_by_comm(&name).unwrap(), []);
}
