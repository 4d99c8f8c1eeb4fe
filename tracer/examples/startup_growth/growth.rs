//! The call sites. Each kind of growth is made by a function of its own that is never inlined, so
//! that it stands in the call stack under its own name, and that still has work to do after its
//! last call, so that no tail call takes it off the stack again.
//!
//! The functions differ in more than their names (sizes, pages touched): the compiler merges
//! functions with equal bodies, and two call sites would become one.

use std::ffi::{CStr, c_int, c_void};
use std::hint::black_box;
use std::sync::{Condvar, Mutex, PoisonError};
use std::{io, mem, ptr, slice};

use super::truth::{Group, Range};

pub const KIB: usize = 1 << 10;
pub const MIB: usize = 1 << 20;
pub const GIB: usize = 1 << 30;
pub const PAGE: usize = 4 * KIB;

/// V8's WebAssembly memory with its guard regions on Node 20 and 22, in what it settles at.
pub const CAGE: usize = 10 * GIB;
/// Where the accessible pages of a cage begin.
pub const CAGE_FRONT_GUARD: usize = 2 * GIB;
pub const WASM_PAGE: usize = 64 * KIB;
const CODE_RANGE: usize = 512 * MIB;
const CODE_RANGE_ALIGNMENT: usize = 256 * KIB;
/// With its guard page: the 8,392,704 bytes that a thread has under the usual `ulimit -s`.
const THREAD_STACK: usize = 8 * MIB;
/// The most that one of glibc's heaps holds on 64-bit machines, and its alignment (`HEAP_MAX_SIZE`).
const ARENA: usize = 64 * MIB;
const LEAKED_BUFFER: usize = 256 * KIB;
const SCRATCH_BUFFER: usize = MIB;
const HEAP_GROWTH: usize = 512 * KIB;
const FIRST_TABLE: usize = MIB;

/// A call that the kernel (or libc) refused.
#[derive(Debug, thiserror::Error)]
#[error("{call} of {bytes} bytes in {function} was refused: {error}{hint}")]
pub struct Refused {
    call: &'static str,
    bytes: usize,
    function: &'static str,
    error: io::Error,
    hint: String,
}

impl Refused {
    /// Must be made right after the call, while `errno` is still that call's.
    #[cold]
    fn last(call: &'static str, bytes: usize, function: &'static str) -> Self {
        Self::with(io::Error::last_os_error(), call, bytes, function)
    }

    #[cold]
    fn with(error: io::Error, call: &'static str, bytes: usize, function: &'static str) -> Self {
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: `limit` is a valid place for the answer.
        let known = unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) } == 0;
        let hint = if known && limit.rlim_cur != libc::RLIM_INFINITY {
            format!(
                " (RLIMIT_AS is {} bytes: raise it with `ulimit -v`)",
                limit.rlim_cur
            )
        } else {
            String::new()
        };
        Self {
            call,
            bytes,
            function,
            error,
            hint,
        }
    }
}

/// The memory of the first WebAssembly module: 3 of its pages open, in one call.
#[inline(never)]
pub fn reserve_first_cage(group: &mut Group) -> Result<(), Refused> {
    let cage = reserve_aligned(group, CAGE, WASM_PAGE)?;
    open_pages(group, &cage, 0..3, 30)?;
    black_box(cage);
    Ok(())
}

/// Opens some pages of a module's memory in one call, and writes to so many of the kernel's.
pub fn open_pages(
    group: &mut Group,
    cage: &Range,
    pages: std::ops::Range<usize>,
    touched: usize,
) -> Result<(), Refused> {
    let open = Range {
        start: cage.start + CAGE_FRONT_GUARD + pages.start * WASM_PAGE,
        length: pages.len() * WASM_PAGE,
    };
    protect(group, open, libc::PROT_READ | libc::PROT_WRITE)?;
    group.opened(open.length);
    touch(group, open.start, touched);
    Ok(())
}

/// The memory of the second module: opened by two calls, as when it grows by `memory.grow`.
#[inline(never)]
pub fn reserve_second_cage(group: &mut Group) -> Result<(), Refused> {
    let cage = reserve_aligned(group, CAGE, WASM_PAGE)?;
    open_pages(group, &cage, 0..1, 16)?;
    open_pages(group, &cage, 1..2, 7)?;
    black_box(cage);
    Ok(())
}

/// The code range of an isolate: one region written to, then made executable.
#[inline(never)]
pub fn reserve_code_range(group: &mut Group) -> Result<(), Refused> {
    let range = reserve_aligned(group, CODE_RANGE, CODE_RANGE_ALIGNMENT)?;
    let region = Range {
        start: range.start,
        length: CODE_RANGE_ALIGNMENT,
    };
    protect(group, region, libc::PROT_READ | libc::PROT_WRITE)?;
    group.opened(region.length);
    touch(group, region.start, 5);
    protect(group, region, libc::PROT_READ | libc::PROT_EXEC)?;
    black_box(range);
    Ok(())
}

/// The true leak: touched to the last page, and nobody will ever release it.
#[inline(never)]
pub fn leak_request_buffer(group: &mut Group) -> Result<(), Refused> {
    let buffer = map_writable(group, LEAKED_BUFFER)?;
    touch(group, buffer.start, LEAKED_BUFFER / PAGE);
    black_box(buffer);
    Ok(())
}

/// Busy, and no leak: gone before it returns.
#[inline(never)]
pub fn churn_scratch_buffer(group: &mut Group) -> Result<(), Refused> {
    let buffer = map_writable(group, SCRATCH_BUFFER)?;
    touch(group, buffer.start, SCRATCH_BUFFER / PAGE);
    unmap(group, buffer)?;
    group.died(buffer, SCRATCH_BUFFER, SCRATCH_BUFFER);
    black_box(buffer);
    Ok(())
}

/// Moves the program break, beside malloc, which does so too (and copes: glibc calls this a
/// foreign sbrk). Only what this call itself added is in the books; every other page is touched.
#[inline(never)]
pub fn grow_heap_by_sbrk(group: &mut Group) -> Result<(), Refused> {
    // SAFETY: a positive increment only adds memory above what anyone uses.
    let before = unsafe { libc::sbrk(HEAP_GROWTH as libc::intptr_t) } as usize;
    if before == usize::MAX {
        return Err(Refused::last("sbrk", HEAP_GROWTH, group.function));
    }
    group.calls.brk += 1;
    // The kernel maps whole pages: up to a break that is not on a page's edge, the page is mapped.
    let start = before.next_multiple_of(PAGE);
    let end = (before + HEAP_GROWTH).next_multiple_of(PAGE);
    group.born(Range {
        start,
        length: end - start,
    });
    group.opened(end - start);
    group.charged(end - start);
    for page in (start..end - PAGE + 1).step_by(2 * PAGE) {
        touch(group, page, 1);
    }
    black_box(before);
    Ok(())
}

/// A table that is made here and grows in [`grow_table_by_mremap`].
pub struct Table {
    start: usize,
    length: usize,
    moves: Vec<bool>,
}

impl Table {
    /// Whether each growth moved the table (else it grew in place), in their order.
    pub fn into_moves(self) -> Vec<bool> {
        self.moves
    }
}

#[inline(never)]
pub fn make_table(group: &mut Group) -> Result<Table, Refused> {
    let table = map_writable(group, FIRST_TABLE)?;
    touch(group, table.start, FIRST_TABLE / PAGE / 4);
    Ok(Table {
        start: table.start,
        length: table.length,
        moves: Vec::with_capacity(8),
    })
}

/// Doubles the table, in place or elsewhere, as the kernel will have it, and touches a quarter of
/// what is new. What was there keeps its place in the books, at its new address.
#[inline(never)]
pub fn grow_table_by_mremap(
    table: &mut Table,
    base: &mut Group,
    growth: &mut Group,
) -> Result<(), Refused> {
    let added = table.length;
    // SAFETY: the old range is one mapping of ours, and nobody keeps a pointer into it.
    let new = unsafe {
        libc::mremap(
            table.start as *mut c_void,
            added,
            2 * added,
            libc::MREMAP_MAYMOVE,
        )
    };
    if new == libc::MAP_FAILED {
        return Err(Refused::last("mremap", 2 * added, growth.function));
    }
    growth.calls.mremap += 1;
    let new = new as usize;
    base.moved(table.start, new);
    growth.moved(table.start, new);
    table.moves.push(new != table.start);
    growth.born(Range {
        start: new + added,
        length: added,
    });
    growth.opened(added);
    growth.charged(added);
    touch(growth, new + added, added / PAGE / 4);
    *table = Table {
        start: new,
        length: 2 * added,
        moves: mem::take(&mut table.moves),
    };
    black_box(table.start);
    Ok(())
}

/// A thread to be made: its name, and where it puts the address of its first block.
pub struct Worker {
    name: &'static CStr,
    first_block: Mutex<Option<io::Result<usize>>>,
    done: Condvar,
}

/// The threads that malloc. Fewer than the arenas that glibc grants to a machine with one core.
pub static WORKERS: [Worker; 6] = [
    Worker::named(c"parser"),
    Worker::named(c"crypto"),
    Worker::named(c"resolver"),
    Worker::named(c"compressor"),
    Worker::named(c"logger"),
    Worker::named(c"indexer"),
];

impl Worker {
    const fn named(name: &'static CStr) -> Self {
        Self {
            name,
            first_block: Mutex::new(None),
            done: Condvar::new(),
        }
    }
}

/// Bytes in a block that a worker allocates, how many of them it writes, and how many blocks it
/// allocates: more than the 132 KiB that an arena has open at first, and each block less than what
/// malloc would rather mmap.
const BLOCK: usize = 24 * KIB;
const BLOCK_WRITTEN: usize = PAGE;
const BLOCKS: usize = 14;

/// Makes a thread that stays, and waits until it has allocated what it will. Of both, its stack
/// and its arena, this process has no books but the kernel's: glibc makes the calls.
#[inline(never)]
pub fn spawn_worker(
    worker: &'static Worker,
    stacks: &mut Group,
    arenas: &mut Group,
) -> Result<(), Refused> {
    let stack = start_thread(worker)
        .map_err(|error| Refused::with(error, "pthread_create", THREAD_STACK, stacks.function))?;
    stacks.born(stack);
    stacks.calls.pthread_create += 1;

    let mut answer = worker
        .first_block
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let block = loop {
        if let Some(block) = answer.take() {
            break block;
        }
        answer = worker
            .done
            .wait(answer)
            .unwrap_or_else(PoisonError::into_inner);
    }
    .map_err(|error| Refused::with(error, "malloc", BLOCK, arenas.function))?;
    arenas.thread_names.push(worker.name.to_string_lossy());
    arenas.calls.malloc += BLOCKS as u64;
    // An arena's first heap begins at a multiple of its greatest size, and the first block is in it.
    arenas.born(Range {
        start: block & !(ARENA - 1),
        length: ARENA,
    });
    Ok(())
}

/// Always inlined: the caller is the call site.
#[inline(always)]
fn start_thread(worker: &'static Worker) -> io::Result<Range> {
    let checked = |result: c_int| match result {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    };
    // SAFETY: both attributes are initialised by the calls that are given them before anything
    // else reads them; the worker is static, so it outlives its thread; the thread is never
    // joined or detached, so its handle stays valid.
    unsafe {
        let mut attributes: libc::pthread_attr_t = mem::zeroed();
        checked(libc::pthread_attr_init(&raw mut attributes))?;
        checked(libc::pthread_attr_setstacksize(
            &raw mut attributes,
            THREAD_STACK,
        ))?;
        let mut thread: libc::pthread_t = 0;
        checked(libc::pthread_create(
            &raw mut thread,
            &raw const attributes,
            worker_that_mallocs,
            ptr::from_ref(worker).cast_mut().cast(),
        ))?;
        libc::pthread_attr_destroy(&raw mut attributes);

        let (mut lowest, mut size, mut guard) = (ptr::null_mut(), 0, 0);
        checked(libc::pthread_getattr_np(thread, &raw mut attributes))?;
        checked(libc::pthread_attr_getstack(
            &raw const attributes,
            &raw mut lowest,
            &raw mut size,
        ))?;
        checked(libc::pthread_attr_getguardsize(
            &raw const attributes,
            &raw mut guard,
        ))?;
        libc::pthread_attr_destroy(&raw mut attributes);
        Ok(Range {
            start: lowest as usize - guard,
            length: size + guard,
        })
    }
}

/// What a worker runs. Its first malloc makes the thread's arena, later ones open more of it; it
/// keeps all of it, and stays.
#[inline(never)]
extern "C" fn worker_that_mallocs(worker: *mut c_void) -> *mut c_void {
    // SAFETY: `spawn_worker` passes a static worker.
    let worker: &'static Worker = unsafe { &*worker.cast::<Worker>() };
    // SAFETY: the name is a C string of less than 16 bytes.
    unsafe { libc::pthread_setname_np(libc::pthread_self(), worker.name.as_ptr()) };
    let mut first = Ok(0);
    for number in 0..BLOCKS {
        // The compiler knows malloc: it must not reason about what lies before the block.
        // SAFETY: malloc may be called with any size.
        let block = black_box(unsafe { libc::malloc(BLOCK) });
        if block.is_null() {
            first = Err(io::Error::last_os_error());
            break;
        }
        if !is_in_an_arena(block) {
            first = Err(io::Error::other(
                "no arena but the main one (MALLOC_ARENA_MAX, or no room)",
            ));
            break;
        }
        // SAFETY: malloc gave this many bytes, and they are never freed.
        unsafe { block.cast::<u8>().write_bytes(0x5a, BLOCK_WRITTEN) };
        if number == 0 {
            first = Ok(block as usize);
        }
    }
    *worker
        .first_block
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = Some(first);
    worker.done.notify_one();
    loop {
        // SAFETY: waits for a signal, and has no other effect.
        unsafe { libc::pause() };
    }
}

/// Whether a block of malloc's lies in an arena other than the main one: bit 2 of the size before
/// it (`NON_MAIN_ARENA`, glibc's malloc.c). Else glibc found no room for a new arena.
fn is_in_an_arena(block: *mut c_void) -> bool {
    // SAFETY: glibc keeps the chunk's size in the word before the block.
    unsafe { block.cast::<usize>().sub(1).read() & 4 != 0 }
}

/// Reserves as V8 does: asks for what is wanted and for what alignment may cost, then gives back
/// what lies before and behind. Always inlined: the caller is the call site.
#[inline(always)]
pub fn reserve_aligned(
    group: &mut Group,
    length: usize,
    alignment: usize,
) -> Result<Range, Refused> {
    let asked = length + alignment - PAGE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let got = map(group, asked, libc::PROT_NONE, flags)?;
    group.born(got);
    let start = got.start.next_multiple_of(alignment);
    let head = Range {
        start: got.start,
        length: start - got.start,
    };
    let tail = Range {
        start: start + length,
        length: asked - length - head.length,
    };
    for surplus in [head, tail] {
        if surplus.length > 0 {
            unmap(group, surplus)?;
        }
    }
    let kept = Range { start, length };
    group.trimmed(got, kept);
    Ok(kept)
}

/// Always inlined: the caller is the call site.
#[inline(always)]
fn map_writable(group: &mut Group, length: usize) -> Result<Range, Refused> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let range = map(group, length, libc::PROT_READ | libc::PROT_WRITE, flags)?;
    group.born(range);
    group.opened(length);
    group.charged(length);
    Ok(range)
}

#[inline(always)]
fn map(group: &mut Group, length: usize, prot: c_int, flags: c_int) -> Result<Range, Refused> {
    // SAFETY: a new mapping at an address of the kernel's choice replaces nothing.
    let got = unsafe { libc::mmap(ptr::null_mut(), length, prot, flags, -1, 0) };
    if got == libc::MAP_FAILED {
        return Err(Refused::last("mmap", length, group.function));
    }
    group.calls.mmap += 1;
    Ok(Range {
        start: got as usize,
        length,
    })
}

#[inline(always)]
fn unmap(group: &mut Group, range: Range) -> Result<(), Refused> {
    // SAFETY: the range was mapped by the caller, and nobody keeps a pointer into it.
    if unsafe { libc::munmap(range.start as *mut c_void, range.length) } != 0 {
        return Err(Refused::last("munmap", range.length, group.function));
    }
    group.calls.munmap += 1;
    Ok(())
}

#[inline(always)]
pub fn protect(group: &mut Group, range: Range, prot: c_int) -> Result<(), Refused> {
    // SAFETY: the range was mapped by the caller, and nobody keeps a reference into it.
    if unsafe { libc::mprotect(range.start as *mut c_void, range.length, prot) } != 0 {
        return Err(Refused::last("mprotect", range.length, group.function));
    }
    group.calls.mprotect += 1;
    Ok(())
}

/// Writes to each of so many pages, for the first time.
#[inline(always)]
pub fn touch(group: &mut Group, start: usize, pages: usize) {
    // SAFETY: the caller has just mapped these pages for writing, and nobody else knows of them.
    let bytes = unsafe { slice::from_raw_parts_mut(start as *mut u8, pages * PAGE) };
    for page in bytes.chunks_exact_mut(PAGE) {
        page[0] = 1;
    }
    black_box(bytes);
    group.touched(pages * PAGE);
}
