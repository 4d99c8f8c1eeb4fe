//! The books that each call site keeps of what it did, and the document made from them.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::process;

use serde::{Serialize, Serializer};

use super::growth::PAGE;
use super::kernel::{self, Figures, Maps};

/// So many bytes from an address on.
#[derive(Clone, Copy)]
pub struct Range {
    pub start: usize,
    pub length: usize,
}

impl Range {
    fn end(self) -> usize {
        self.start + self.length
    }

    /// What both cover; nothing has length 0.
    pub fn overlap(self, other: Self) -> Self {
        let start = self.start.max(other.start);
        Self {
            start,
            length: self.end().min(other.end()).saturating_sub(start),
        }
    }
}

impl Serialize for Range {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.start, self.length].serialize(serializer)
    }
}

/// Successful calls, by name.
#[derive(Default, Serialize)]
pub struct Calls {
    pub mmap: u64,
    pub munmap: u64,
    pub mprotect: u64,
    pub mremap: u64,
    pub brk: u64,
    pub pthread_create: u64,
    pub malloc: u64,
}

/// The books of one call site. Sizes are bytes; all but `released` are of what is alive.
pub struct Group {
    name: &'static str,
    pub function: &'static str,
    /// Threads that made the calls; none: the main thread.
    pub thread_names: Vec<Cow<'static, str>>,
    pub calls: Calls,
    born: u64,
    alive: Vec<Range>,
    reserved: usize,
    accessible: usize,
    touched: usize,
    charged: usize,
    released: usize,
    peak: usize,
}

impl Group {
    /// `expected`: how many ranges will be alive at once. The room for them is made now, so that
    /// keeping books makes no call among those that are in them.
    pub fn new(name: &'static str, function: &'static str, expected: usize) -> Self {
        Self {
            name,
            function,
            thread_names: Vec::with_capacity(8),
            calls: Calls::default(),
            born: 0,
            alive: Vec::with_capacity(expected),
            reserved: 0,
            accessible: 0,
            touched: 0,
            charged: 0,
            released: 0,
            peak: 0,
        }
    }

    pub fn born(&mut self, range: Range) {
        self.born += 1;
        self.reserved += range.length;
        self.peak = self.peak.max(self.reserved);
        self.alive.push(range);
    }

    pub fn opened(&mut self, bytes: usize) {
        self.accessible += bytes;
    }

    pub fn touched(&mut self, bytes: usize) {
        self.touched += bytes;
    }

    pub fn charged(&mut self, bytes: usize) {
        self.charged += bytes;
    }

    /// Of the range born last, only this part is left; the rest was never accessible.
    pub fn trimmed(&mut self, from: Range, to: Range) {
        self.reserved -= from.length - to.length;
        self.released += from.length - to.length;
        if let Some(last) = self.alive.last_mut() {
            *last = to;
        }
    }

    /// The range born last is gone, all of it writable.
    pub fn died(&mut self, range: Range, touched: usize, charged: usize) {
        self.alive.pop();
        self.reserved -= range.length;
        self.released += range.length;
        self.accessible -= range.length;
        self.touched -= touched;
        self.charged -= charged;
    }

    /// All ranges are where they were before, but for this.
    pub fn moved(&mut self, from: usize, to: usize) {
        for range in &mut self.alive {
            range.start = range.start.wrapping_sub(from).wrapping_add(to);
        }
    }

    /// glibc makes these calls: their number, their protections and what was trimmed are its own.
    fn made_by_libc(&self) -> bool {
        self.calls.malloc + self.calls.pthread_create > 0
    }
}

/// What was done, as it is known before the kernel is asked.
pub struct Books {
    pub groups: Vec<Group>,
    /// For each growth of the table, whether it moved.
    pub table_moves: Vec<bool>,
}

/// One group in the document.
#[derive(Serialize)]
struct GroupTruth {
    name: &'static str,
    /// The function that made the calls, as it stands in the call stack.
    function: &'static str,
    thread_names: Vec<Cow<'static, str>>,
    /// `program`: by its own books; `kernel`: glibc makes the calls, so accessible, touched and
    /// charged bytes are the kernel's, and what was released meanwhile is not known.
    known_by: &'static str,
    calls: Calls,
    /// Calls that reserved (of an arena: those whose result was kept).
    reserving_calls: u64,
    released_calls: Option<u64>,
    live: usize,
    reserved_bytes: usize,
    accessible_bytes: usize,
    touched_bytes: usize,
    charged_bytes: usize,
    released_bytes: Option<usize>,
    peak_bytes: Option<usize>,
    /// `[start, length]` of each range that is alive.
    ranges: Vec<Range>,
    /// The same ranges by `/proc/self/smaps` and `/proc/self/pagemap`.
    kernel: Figures,
    agrees_with_kernel: bool,
}

impl GroupTruth {
    fn new(group: Group, maps: &Maps, main_thread: &str) -> io::Result<Self> {
        let kernel = maps.look(&group.alive)?;
        let by_libc = group.made_by_libc();
        let own = Figures {
            reserved_bytes: group.reserved,
            accessible_bytes: group.accessible,
            touched_bytes: group.touched,
            charged_bytes: group.charged,
        };
        let figures = if by_libc {
            Figures {
                reserved_bytes: group.reserved,
                ..kernel
            }
        } else {
            own
        };
        Ok(Self {
            name: group.name,
            function: group.function,
            thread_names: if group.thread_names.is_empty() {
                vec![Cow::Owned(main_thread.to_owned())]
            } else {
                group.thread_names
            },
            known_by: if by_libc { "kernel" } else { "program" },
            released_calls: (!by_libc).then_some(group.calls.munmap),
            calls: group.calls,
            reserving_calls: group.born,
            live: group.alive.len(),
            reserved_bytes: figures.reserved_bytes,
            accessible_bytes: figures.accessible_bytes,
            touched_bytes: figures.touched_bytes,
            charged_bytes: figures.charged_bytes,
            released_bytes: (!by_libc).then_some(group.released),
            peak_bytes: (!by_libc).then_some(group.peak),
            ranges: group.alive,
            kernel,
            agrees_with_kernel: figures == kernel,
        })
    }
}

/// The heap that malloc and [`grow_heap_by_sbrk`](super::growth::grow_heap_by_sbrk) share.
#[derive(Serialize)]
struct ProgramBreak {
    start: usize,
    /// What the latter added; all else up to the break (in `end`) is malloc's.
    grown_by_sbrk_bytes: usize,
}

/// The document, but for its `end`.
#[derive(Serialize)]
pub struct Truth {
    schema: &'static str,
    pid: u32,
    seconds: u64,
    page_bytes: usize,
    vm_size_at_start_bytes: usize,
    groups: Vec<GroupTruth>,
    /// For each growth of the table, whether the kernel moved it.
    table_moved: Vec<bool>,
    program_break: ProgramBreak,
    agrees_with_kernel: bool,
}

impl Truth {
    /// Closes the books and has the kernel look at them.
    pub fn new(seconds: u64, vm_size_at_start_bytes: usize, books: Books) -> io::Result<Self> {
        let maps = Maps::read()?;
        let main_thread = fs::read_to_string("/proc/self/comm")?;
        let groups = books
            .groups
            .into_iter()
            .map(|group| GroupTruth::new(group, &maps, main_thread.trim_end()))
            .collect::<io::Result<Vec<_>>>()?;
        Ok(Self {
            schema: "startup_growth.truth/1",
            pid: process::id(),
            seconds,
            page_bytes: PAGE,
            vm_size_at_start_bytes,
            program_break: ProgramBreak {
                start: maps.heap_start().unwrap_or_default(),
                grown_by_sbrk_bytes: groups
                    .iter()
                    .filter(|group| group.calls.brk > 0)
                    .map(|group| group.reserved_bytes)
                    .sum(),
            },
            agrees_with_kernel: groups.iter().all(|group| group.agrees_with_kernel),
            groups,
            table_moved: books.table_moves,
        })
    }

    /// Prints the document. Its `end` is read and printed last, and from there on nothing
    /// allocates: the size that is printed is the size that this process has when it is printed.
    pub fn print(&self) -> io::Result<()> {
        let document = serde_json::to_string(self)?;
        let document = document.strip_suffix('}').unwrap_or(&document);
        // SAFETY: 1 is stdout, and is not closed here.
        let mut stdout = ManuallyDrop::new(unsafe { File::from_raw_fd(1) });
        let mut end = Line {
            bytes: [0; 256],
            filled: 0,
        };

        // SAFETY: an increment of 0 only asks.
        let program_break = unsafe { libc::sbrk(0) } as usize;
        let status = kernel::status()?;
        writeln!(
            end,
            r#","end":{{"program_break":{program_break},"vm_size_bytes":{},"vm_rss_bytes":{}}}}}"#,
            status.vm_size_bytes, status.vm_rss_bytes,
        )
        .map_err(io::Error::other)?;
        stdout.write_all(document.as_bytes())?;
        stdout.write_all(&end.bytes[..end.filled])
    }
}

/// A line of text that is written without allocating.
struct Line {
    bytes: [u8; 256],
    filled: usize,
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self
            .bytes
            .get_mut(self.filled..self.filled + text.len())
            .ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.filled += text.len();
        Ok(())
    }
}
