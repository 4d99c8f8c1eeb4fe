//! The tasks of the storm: its threads, and the threads and processes that these make. Whoever makes
//! one waits for it, so that at a pause there is none but the threads themselves.

use std::ffi::c_void;
use std::io;
use std::sync::atomic::Ordering;

use super::calls::Caller;
use super::operations::Stormer;
use super::random::Random;
use super::snapshot::{self, Moment};
use super::world::{Program, Seat, World};

/// Operations of a task that is made in passing.
const IN_PASSING: u64 = 6;
/// One operation in so many is the making of a task.
const RARELY: u64 = 300;

/// A thread of the storm.
pub struct Worker {
    world: &'static World,
    seat: &'static Seat,
    random: Random,
    /// It was made while the others storm already.
    late: bool,
}

impl Worker {
    /// The worker of a seat.
    pub fn new(world: &'static World, seat: usize, random: Random, late: bool) -> Self {
        Self {
            world,
            seat: &world.seats[seat],
            random,
            late,
        }
    }

    /// Starts it. `pthread_create` is called by hand, because the standard library's threads ask the
    /// kernel for memory where nobody may.
    pub fn start(self) -> io::Result<libc::pthread_t> {
        extern "C" fn main(worker: *mut c_void) -> *mut c_void {
            // SAFETY: it is the worker that was leaked for this thread.
            unsafe { Box::from_raw(worker.cast::<Worker>()) }.storm();
            std::ptr::null_mut()
        }
        let stack = self.seat.stack;
        let worker = Box::into_raw(Box::new(self)).cast();
        // SAFETY: the stack is this thread's alone until someone has joined it.
        unsafe { start_thread(stack, main, worker) }
    }

    fn storm(mut self) {
        let caller = Caller::current(&self.seat.log);
        let world = self.world;
        loop {
            if !self.late {
                world.pause.wait();
            }
            self.late = false;
            if world.over.load(Ordering::Relaxed) || self.seat.leaves.load(Ordering::Relaxed) {
                return;
            }
            let mut stormer = Stormer {
                world,
                random: self.random,
                caller,
            };
            for _ in 0..world.operations {
                if world.children && stormer.random.one_in(RARELY) {
                    make_task(&mut stormer, self.seat);
                } else {
                    stormer.operate();
                }
            }
            self.random = stormer.random;
            world.pause.wait();
        }
    }
}

fn make_task(stormer: &mut Stormer, seat: &'static Seat) {
    match stormer.random.below(4) {
        0 => thread(stormer, seat),
        1 => fork(stormer),
        2 => share(stormer, seat, 0),
        _ => share(stormer, seat, libc::CLONE_VFORK),
    }
}

/// A thread that storms a little and ends.
fn thread(stormer: &mut Stormer, seat: &'static Seat) {
    extern "C" fn main(stormer: *mut c_void) -> *mut c_void {
        // SAFETY: its owner waits for this thread.
        let stormer = unsafe { &mut *stormer.cast::<Stormer>() };
        stormer.caller = Caller::current(stormer.caller.log());
        for _ in 0..IN_PASSING {
            stormer.operate();
        }
        std::ptr::null_mut()
    }
    let own = stormer.caller;
    let passed = std::ptr::from_mut(stormer).cast();
    // SAFETY: the stack is this thread's alone, and it is joined at once.
    if let Ok(thread) = unsafe { start_thread(seat.second_stack, main, passed) } {
        // SAFETY: it was started, and nobody else joins it.
        unsafe { libc::pthread_join(thread, std::ptr::null_mut()) };
    }
    stormer.caller = own;
}

/// A process with a copy of the address space: says what it got, storms, says what became of it, and
/// ends or becomes a program.
fn fork(stormer: &mut Stormer) {
    let random = Random::new(stormer.random.next(), 0);
    // SAFETY: what the child does allocates nothing and takes no locks, as must be where other
    // threads run.
    let child = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    if child == 0 {
        stormer.random = random;
        stormer.caller = Caller::current(stormer.caller.log());
        stormer.caller.log().clear();
        let (world, logs) = (stormer.world, [stormer.caller.log()]);
        for moment in [Moment::Forked, Moment::Stormed] {
            if moment == Moment::Stormed {
                for _ in 0..IN_PASSING {
                    stormer.operate();
                }
            }
            if snapshot::take(world, moment, logs).is_err() {
                exit(3);
            }
        }
        execute_any(stormer);
        exit(0);
    }
    wait(child);
}

/// A process that shares the address space, with a stack of its own.
fn share(stormer: &mut Stormer, seat: &'static Seat, vfork: i32) {
    extern "C" fn main(stormer: *mut c_void) -> i32 {
        // SAFETY: its owner waits for this process, and shares its memory.
        let stormer = unsafe { &mut *stormer.cast::<Stormer>() };
        stormer.caller = Caller::current(stormer.caller.log());
        for _ in 0..IN_PASSING {
            stormer.operate();
        }
        execute_any(stormer);
        0
    }
    let own = stormer.caller;
    let top = seat.second_stack.wrapping_byte_add(Seat::stack_bytes());
    let flags = libc::CLONE_VM | vfork | libc::SIGCHLD;
    // SAFETY: the stack is this process's alone, and it is waited for at once.
    let child = unsafe { libc::clone(main, top, flags, std::ptr::from_mut(stormer).cast()) };
    wait(i64::from(child));
    stormer.caller = own;
}

/// Becomes another program, or not.
fn execute_any(stormer: &mut Stormer) {
    let programs = &stormer.world.programs;
    let which = stormer.random.below(2 * programs.len() as u64 + 1) as usize;
    if let Some(program) = programs.get(which) {
        let environment: [*const libc::c_char; 1] = [std::ptr::null()];
        // SAFETY: strings and lists that end in nulls.
        unsafe { libc::execve(program.path(), program.arguments(), environment.as_ptr()) };
    }
}

/// Starts a program the way libraries do. `posix_spawn` maps a stack for the child: only at a pause.
pub fn spawn(program: &Program) {
    let environment: [*mut libc::c_char; 1] = [std::ptr::null_mut()];
    let mut child = 0;
    // SAFETY: strings and lists that end in nulls.
    let error = unsafe {
        libc::posix_spawn(
            &raw mut child,
            program.path(),
            std::ptr::null(),
            std::ptr::null(),
            program.arguments().cast(),
            environment.as_ptr(),
        )
    };
    if error == 0 {
        wait(i64::from(child));
    }
}

/// Ends a process without a word to the library.
fn exit(code: i32) -> ! {
    // SAFETY: only ends the process.
    unsafe { libc::_exit(code) }
}

fn wait(child: i64) {
    if child > 0 {
        // SAFETY: a child of ours, whose status nobody asks for.
        unsafe { libc::waitpid(child as i32, std::ptr::null_mut(), libc::__WALL) };
    }
}

/// # Safety
/// Nobody else uses the stack until the thread was joined; `main` may have `argument`.
unsafe fn start_thread(
    stack: *mut c_void,
    main: extern "C" fn(*mut c_void) -> *mut c_void,
    argument: *mut c_void,
) -> io::Result<libc::pthread_t> {
    // SAFETY: by this function's own contract; the attributes are initialised before use.
    unsafe {
        let mut attributes = std::mem::zeroed();
        libc::pthread_attr_init(&raw mut attributes);
        libc::pthread_attr_setstack(&raw mut attributes, stack, Seat::stack_bytes());
        let mut thread = std::mem::zeroed();
        let error = libc::pthread_create(&raw mut thread, &raw const attributes, main, argument);
        libc::pthread_attr_destroy(&raw mut attributes);
        if error == 0 {
            Ok(thread)
        } else {
            Err(io::Error::from_raw_os_error(error))
        }
    }
}
