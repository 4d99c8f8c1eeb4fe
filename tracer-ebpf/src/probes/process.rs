//! fork, exec, exit, and new names of threads (include/trace/events/sched.h, task.h).

use aya_ebpf::{
    EbpfContext as _,
    helpers::{bpf_get_current_comm, bpf_ktime_get_ns},
    macros::{map, raw_tracepoint},
    maps::LruHashMap,
    programs::RawTracePointContext,
};
use aya_log_ebpf::{debug, warn};
use tracer_common::{
    account::{Account, Accounted},
    counters::Counter,
    header::Header,
    kind::Kind,
    process::Process,
    settings::{self, Offset},
};

use crate::{
    emit::{self, EVENTS},
    filter::{self, PROCESSES},
    program,
    settings::wire_version,
    stack,
    task::{OtherMm, OtherTask, Task},
    thread, turn,
};

/// What a process's address space was when it ended, until its exit is told: process id → identity and sizes (see
/// [`space_exit`]).
#[map]
static ENDED: LruHashMap<u32, Ended> = LruHashMap::with_max_entries(1024, 0);

/// See [`ENDED`].
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Ended {
    space: u64,
    account: Account,
}

/// `sched:sched_process_fork`: `TP_PROTO(struct task_struct *parent, struct task_struct *child)`,
/// before the child first runs.
#[raw_tracepoint(tracepoint = "sched_process_fork")]
pub fn process_fork(ctx: RawTracePointContext) -> i32 {
    try_process_fork(&ctx);
    0
}

#[inline(always)]
fn try_process_fork(ctx: &RawTracePointContext) -> Option<()> {
    let who = filter::current()?;
    let child = OtherTask(ctx.arg::<*const u8>(1));
    let (child_pid, child_tid) = (child.pid()?, child.tid()?);
    let space = Task::current().mm().identity();
    let comm = child.comm()?;
    if child_pid == who.pid {
        emit::send(
            Process {
                header: emit::header(Kind::Thread, 0, 0, space, who),
                child: child_tid,
                comm,
                ..Process::default()
            },
            Counter::LostProcesses,
        );
        return Some(());
    }
    let (child_space, pages) = child.space()?;
    if child_space != space {
        turn::forget_space(child_space);
    }
    let mut followed = 0;
    if who.follow {
        if PROCESSES
            .insert(child_pid, [settings::FOLLOWED, child_space, 0, 0], 0)
            .is_ok()
        {
            followed = 1;
            if child_space != space {
                stack::copy_code(space, child_space);
            }
        } else {
            emit::count(Counter::UntrackedChildren);
            warn!(
                ctx,
                "process {} cannot be followed: the table is full", child_pid
            );
        }
    }
    let turn = turn::take(who).turn;
    emit::send_turn(
        Process {
            header: emit::header(Kind::Fork, 0, followed, space, who),
            child: child_pid,
            reserved: 0,
            child_space,
            pages,
            comm,
            turn,
        },
        Counter::LostProcesses,
        turn,
    );
    Some(())
}

/// `sched:sched_process_exec`:
/// `TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)`, when the new program
/// is mapped and before its first instruction.
#[raw_tracepoint(tracepoint = "sched_process_exec")]
pub fn process_exec(ctx: RawTracePointContext) -> i32 {
    if let Some(who) = filter::current() {
        debug!(
            &ctx,
            "process {} began a new program (wire {})",
            who.pid,
            wire_version()
        );
        let task = Task::current();
        thread::release_former(who.pid, ctx.arg(1));
        if let Some((space, _)) = OtherTask(ctx.arg::<*const u8>(0)).space() {
            turn::begin_space(space, who);
        }
        program::send_mappings(task.mm(), who);
        about_itself(Kind::Exec, 0, who, ctx.command().unwrap_or_default());
        let mm = task.mm();
        let is_32_bit = mm.get(Offset::MmTaskSize) <= u64::from(u32::MAX);
        let header = emit::header(Kind::Accounted, 0, is_32_bit.into(), mm.identity(), who);
        account(header, |to| {
            // SAFETY: a place in the ring.
            unsafe { *to = task.account(mm) };
        });
    }
    0
}

/// `mmap:exit_mmap`: `TP_PROTO(struct mm_struct *mm)` (include/trace/events/mmap.h, since Linux 6.1),
/// when the last user of an address space has left it.
///
/// Before Linux 6.16 a task's `mm` is cleared before `sched_process_exit` tells of its end
/// (`do_exit()`, kernel/exit.c), and with it goes the kernel's last word on what it held. Here it can
/// still be heard: the task that leaves last is in most cases one of the process's own, a moment
/// before its exit is told. Where somebody else holds on to the address space for longer (a reader of
/// `/proc/PID/maps`), the exit has no totals, and those of the last call count.
#[raw_tracepoint(tracepoint = "exit_mmap")]
pub fn space_exit(ctx: RawTracePointContext) -> i32 {
    try_space_exit(&ctx);
    0
}

#[inline(always)]
fn try_space_exit(ctx: &RawTracePointContext) -> Option<()> {
    turn::forget_space(ctx.arg(0));
    let who = filter::current()?;
    // An exec comes here too, with the new address space in place.
    if Task::current().mm().is_null() {
        let mm = OtherMm(ctx.arg(0));
        let [data_pages, locked_pages, mappings] = mm.sizes()?;
        let ended = Ended {
            space: mm.identity(),
            account: Account {
                pages: mm.pages()?,
                data_pages,
                locked_pages,
                mappings,
                ..Account::default()
            },
        };
        let _ = ENDED.insert(who.pid, ended, 0);
    }
    Some(())
}

/// `sched:sched_process_exit`: `TP_PROTO(struct task_struct *p, …)`, on every thread's way out.
#[raw_tracepoint(tracepoint = "sched_process_exit")]
pub fn process_exit(_ctx: RawTracePointContext) -> i32 {
    thread::release();
    let Some(who) = filter::current_process() else {
        return 0;
    };
    turn::forget_thread(who.tid);
    let task = Task::current();
    if let Some(status) = task.last_exit() {
        // Other tasks may take the number once this one is reaped.
        let _ = PROCESSES.remove(who.pid);
        let mm = task.mm();
        let ended = if mm.is_null() {
            // SAFETY: the value is plain numbers, written by a task of this process.
            let ended = unsafe { ENDED.get(who.pid) }.copied().unwrap_or_default();
            let _ = ENDED.remove(who.pid);
            ended
        } else {
            Ended {
                space: mm.identity(),
                account: task.account(mm),
            }
        };
        let (space, pages) = (ended.space, ended.account.pages);
        // Else nobody knows what it had.
        if space != 0 {
            let header = emit::header(Kind::Accounted, 0, 0, space, who);
            account(header, |to| {
                // SAFETY: a place in the ring.
                unsafe {
                    *to = ended.account;
                    (*to).limits = task.limits();
                }
            });
        }
        let comm = bpf_get_current_comm().unwrap_or_default();
        let header = emit::header(
            Kind::Exit,
            u8::from(task.is_oom_victim()),
            status,
            space,
            who,
        );
        send(header, pages, comm);
    }
    0
}

/// `task:task_rename`: `TP_PROTO(struct task_struct *task, const char *comm)`, before the change. A
/// thread may also rename another of its process, through `/proc`.
#[raw_tracepoint(tracepoint = "task_rename")]
pub fn task_rename(ctx: RawTracePointContext) -> i32 {
    try_task_rename(&ctx);
    0
}

#[inline(always)]
fn try_task_rename(ctx: &RawTracePointContext) -> Option<()> {
    let mut who = filter::current()?;
    who.tid = OtherTask(ctx.arg::<*const u8>(0)).tid()?;
    let name: *const u8 = ctx.arg(1);
    let mut comm = [0u8; 16];
    // SAFETY: the helper checks the address.
    unsafe { aya_ebpf::helpers::bpf_probe_read_kernel_str_bytes(name, &mut comm) }.ok()?;
    about_itself(Kind::Rename, 0, who, comm);
    Some(())
}

/// A process makes a 32-bit system call in this address space: told once.
#[inline(always)]
pub fn tell_32_bit(space: u64, who: filter::Traced) {
    let Some(process) = PROCESSES.get_ptr_mut(who.pid) else {
        return;
    };
    // SAFETY: one aligned word of a map's value.
    let told = unsafe { &raw mut (*process)[3] };
    // SAFETY: as above.
    if unsafe { core::ptr::read_volatile(told) } != space {
        // SAFETY: as above.
        unsafe { core::ptr::write_volatile(told, space) };
        about_itself(Kind::ThirtyTwoBits, 0, who, [0; 16]);
    }
}

/// Tells what the kernel has of a process; `fill` writes it into the ring itself, for the stack of a program is small.
#[inline(always)]
fn account(header: Header, fill: impl FnOnce(*mut Account)) {
    let Some(mut slot) = EVENTS.reserve::<Accounted>(0) else {
        emit::count(Counter::LostProcesses);
        return;
    };
    let to = slot.as_mut_ptr();
    // SAFETY: the slot is an `Accounted`, both of whose members are written.
    unsafe {
        (*to).header = header;
        (*to).header.time_ns = bpf_ktime_get_ns();
        fill(&raw mut (*to).account);
    }
    slot.submit(0);
    emit::count(Counter::Sent);
}

#[inline(always)]
fn about_itself(kind: Kind, flags: u32, who: filter::Traced, comm: [u8; 16]) {
    let mm = Task::current().mm();
    let pages = if mm.is_null() { 0 } else { mm.pages() };
    send(
        emit::header(kind, 0, flags, mm.identity(), who),
        pages,
        comm,
    );
}

#[inline(always)]
fn send(header: Header, pages: u64, comm: [u8; 16]) {
    emit::send(
        Process {
            header,
            pages,
            comm,
            ..Process::default()
        },
        Counter::LostProcesses,
    );
}
