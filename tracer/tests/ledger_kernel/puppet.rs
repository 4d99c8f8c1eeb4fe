//! A child process that does what it is told, one call or access at a time, and nothing else: no other
//! thread and no allocator of its own changes its address space.

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::rc::Rc;

use tracer_ledger::event::Pid;

/// What the child is to do.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Order {
    kind: u64,
    number: i64,
    arguments: [u64; 6],
}

const CALL: u64 = 0;
const LOAD: u64 = 1;
const STORE: u64 = 2;
const FORK: u64 = 3;

/// What came of it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Answer {
    /// What the call returned, or −`errno`.
    result: i64,
    /// Page faults that it took.
    faults: u64,
}

/// How deep a line of children can be.
const GENERATIONS: usize = 8;

/// The child. It ends with this.
pub struct Puppet {
    pid: i32,
    /// By generation: our end of the wire, and the one that it obeys.
    wires: Rc<[[OwnedFd; 2]; GENERATIONS]>,
    generation: usize,
}

impl Puppet {
    pub fn new() -> Self {
        let wires: [[OwnedFd; 2]; GENERATIONS] = std::array::from_fn(|_| wire());
        // SAFETY: the child makes nothing but system calls and accesses that it is told.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            obey(&wires);
        }
        assert!(pid > 0, "{}", std::io::Error::last_os_error());
        let mut puppet = Self {
            pid,
            wires: Rc::new(wires),
            generation: 0,
        };
        // Until its own stack is no longer shared with us.
        for _ in 0..3 {
            puppet.call(libc::SYS_getpid, [0; 6]).unwrap();
        }
        puppet
    }

    pub fn pid(&self) -> Pid {
        Pid(self.pid as u32)
    }

    /// A system call: what it returns, or its `errno`.
    pub fn call(&mut self, number: i64, arguments: [u64; 6]) -> Result<u64, i32> {
        let Answer { result, .. } = self.order(Order {
            kind: CALL,
            number,
            arguments,
        });
        u64::try_from(result).map_err(|_| -result as i32)
    }

    /// Reads a byte; how many faults that took.
    pub fn load(&mut self, address: u64) -> u64 {
        self.access(LOAD, address)
    }

    /// Writes a byte; how many faults that took.
    pub fn store(&mut self, address: u64) -> u64 {
        self.access(STORE, address)
    }

    /// A child of the child, which obeys in its turn. There can be one of each generation.
    pub fn fork(&mut self) -> Self {
        let order = Order {
            kind: FORK,
            ..Order::default()
        };
        let Answer { result, .. } = self.order(order);
        let pid = i32::try_from(result).unwrap();
        assert!(pid > 0);
        Self {
            pid,
            wires: self.wires.clone(),
            generation: self.generation + 1,
        }
    }

    fn access(&mut self, kind: u64, address: u64) -> u64 {
        let order = Order {
            kind,
            arguments: [address, 0, 0, 0, 0, 0],
            ..Order::default()
        };
        self.order(order).faults
    }

    fn order(&mut self, order: Order) -> Answer {
        let mut answer = Answer::default();
        let wire = self.wires[self.generation][0].as_raw_fd();
        assert!(transfer(wire, &order), "the child is gone");
        assert!(
            receive(wire, &mut answer),
            "{order:?}: the child died of it"
        );
        answer
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        // SAFETY: the child is not yet waited for; a child of a child is not ours to wait for.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, std::ptr::null_mut(), 0);
        }
    }
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "order {}/{} {:x?}",
            self.kind, self.number, self.arguments
        )
    }
}

fn wire() -> [OwnedFd; 2] {
    let mut ends = [0; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: room for two descriptors, which are owned from then on.
    unsafe {
        assert_eq!(
            libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()),
            0
        );
        ends.map(|end| OwnedFd::from_raw_fd(end))
    }
}

fn transfer<T>(wire: i32, value: &T) -> bool {
    // SAFETY: plain numbers, as many bytes as they have.
    let sent = unsafe { libc::write(wire, std::ptr::from_ref(value).cast(), size_of::<T>()) };
    sent == size_of::<T>() as isize
}

fn receive<T>(wire: i32, value: &mut T) -> bool {
    // SAFETY: plain numbers, room for as many bytes as they have.
    let got = unsafe { libc::read(wire, std::ptr::from_mut(value).cast(), size_of::<T>()) };
    got == size_of::<T>() as isize
}

fn faults() -> u64 {
    // SAFETY: plain numbers, all of which may be 0; the kernel fills them.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        (usage.ru_minflt + usage.ru_majflt) as u64
    }
}

/// The child's whole life. It must not allocate, and not return.
fn obey(wires: &[[OwnedFd; 2]; GENERATIONS]) -> ! {
    let mut generation = 0;
    let mut order = Order::default();
    // SAFETY: system calls; accesses to what the test has mapped for them.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        while receive(wires[generation][1].as_raw_fd(), &mut order) {
            let before = faults();
            let [a, b, c, d, e, f] = order.arguments;
            let result = match order.kind {
                LOAD => i64::from((a as *const u8).read_volatile()),
                STORE => {
                    (a as *mut u8).write_volatile(1);
                    0
                }
                FORK => {
                    let pid = libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0);
                    if pid == 0 {
                        generation = (generation + 1) % GENERATIONS;
                        continue;
                    }
                    pid
                }
                _ => libc::syscall(order.number, a, b, c, d, e, f),
            };
            let result = if result == -1 && order.kind == CALL {
                -i64::from(*libc::__errno_location())
            } else {
                result
            };
            let answer = Answer {
                result,
                faults: faults() - before,
            };
            if !transfer(wires[generation][1].as_raw_fd(), &answer) {
                break;
            }
        }
        libc::_exit(0)
    }
}
