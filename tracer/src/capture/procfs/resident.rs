//! Which pages of a process are in memory: `/proc/PID/pagemap`.
//!
//! Linux 6.7 and later answer for a whole range at once (the ioctl `PAGEMAP_SCAN`), and skip what has
//! no page tables: 10 GiB that were never touched cost nothing. Before that, an entry is read for
//! every page of what is accessible; what is not, is left out, for it may be as large as it likes.

use std::fs::File;
use std::mem::offset_of;

use rustix::io::{Errno, pread};
use rustix::ioctl::{self, Ioctl, IoctlOutput, Opcode};

use super::directory::Directory;
use super::error::ProcError;
use super::maps::maps;
use tracer_ledger::event::{Address, Mapping, Pid};

/// Regions asked for in one call.
const REGIONS: usize = 1024;
/// Pages read in one go without the ioctl: 128 MiB of address space.
const ENTRIES: usize = 32 << 10;
/// "Page present" in an entry of pagemap (Documentation/admin-guide/mm/pagemap.rst).
const ENTRY_PRESENT: u64 = 1 << 63;
/// Addresses from here on are the kernel's (on x86-64 `[vsyscall]`), in no process's `VmSize`.
const KERNEL_HALF: u64 = 1 << 63;

/// What of `ranges` (first address and bytes, in any order) is in memory: ascending, in whole pages,
/// neighbours joined.
///
/// Pages in swap are not, and the shared page of zeros that reading untouched memory gives is not.
/// Pages of `hugetlbfs` are, although the kernel's `VmRSS` leaves them out.
/// Two things are less exact before Linux 6.7: that page of zeros does count, and what is resident
/// behind a protection of NONE does not.
///
/// # Errors
/// If the process is gone, has no address space, or must not be looked at.
pub fn resident(pid: Pid, ranges: &[(Address, u64)]) -> Result<Vec<(Address, u64)>, ProcError> {
    let ranges = in_pages(ranges);
    let directory = Directory::open(pid)?;
    directory.ask_any_thread(|folder| {
        let name = format!("{folder}pagemap");
        let cannot = |errno| directory.error(&name, errno);
        let pagemap = directory.file(&name).map_err(cannot)?;
        // Without an address space there is nothing to read here, and nobody to scan.
        if pread(&pagemap, &mut [0; 8], 0).map_err(cannot)? == 0 {
            return Ok(None);
        }
        match by_scan(&pagemap, &ranges) {
            // Not known to this kernel, or not this version of it.
            Err(Errno::NOTTY | Errno::INVAL) => {
                by_entries(&pagemap, &accessible(&ranges, &maps(pid)?)).map_err(cannot)
            }
            other => other.map_err(cannot),
        }
        .map(Some)
    })
}

/// Whether this kernel answers for a whole range at once.
#[must_use]
pub(crate) fn has_scan() -> bool {
    let Ok(pagemap) = File::open("/proc/self/pagemap") else {
        return false;
    };
    let own = Address(&raw const pagemap as u64);
    by_scan(&pagemap, &in_pages(&[(own, 1)])).is_ok()
}

/// A range of addresses, whole pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PageRange {
    start: u64,
    end: u64,
}

fn in_pages(ranges: &[(Address, u64)]) -> Vec<PageRange> {
    let page = rustix::param::page_size() as u64;
    let mut pages: Vec<PageRange> = ranges
        .iter()
        .filter(|(start, length)| *length > 0 && start.0 < KERNEL_HALF)
        .map(|(start, length)| PageRange {
            start: start.0 - start.0 % page,
            end: start
                .0
                .saturating_add(*length)
                .min(KERNEL_HALF)
                .next_multiple_of(page),
        })
        .collect();
    pages.sort_unstable_by_key(|range| range.start);
    let mut joined = Joined::default();
    for range in pages {
        joined.add(range.start, range.end);
    }
    joined.0
}

/// Ascending ranges, neighbours and overlaps made one.
#[derive(Default)]
struct Joined(Vec<PageRange>);

impl Joined {
    /// Adds a range that does not begin before the last one does.
    fn add(&mut self, start: u64, end: u64) {
        match self.0.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => self.0.push(PageRange { start, end }),
        }
    }

    fn into_ranges(self) -> Vec<(Address, u64)> {
        let range = |pages: PageRange| (Address(pages.start), pages.end - pages.start);
        self.0.into_iter().map(range).collect()
    }
}

/// What of `ranges` lies in mappings that can be accessed.
fn accessible(ranges: &[PageRange], mappings: &[Mapping]) -> Vec<PageRange> {
    let mut joined = Joined::default();
    let mut ranges = ranges.iter().copied().peekable();
    // The kernel's own data (`[vvar]`) is nobody's memory: the ioctl leaves it out too (`VM_PFNMAP`).
    let own = |mapping: &&Mapping| mapping.protection != 0 && !mapping.name.starts_with("[vvar");
    for mapping in mappings.iter().filter(own) {
        while let Some(&range) = ranges.peek() {
            let start = range.start.max(mapping.start.0);
            let end = range.end.min(mapping.end.0);
            if start < end {
                joined.add(start, end);
            }
            if range.end > mapping.end.0 {
                break;
            }
            ranges.next();
        }
    }
    joined.0
}

/// `struct page_region` (include/uapi/linux/fs.h).
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct PageRegion {
    start: u64,
    end: u64,
    categories: u64,
}

/// `struct pm_scan_arg` (include/uapi/linux/fs.h).
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct ScanArguments {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

const _: () = {
    assert!(size_of::<PageRegion>() == 24);
    assert!(size_of::<ScanArguments>() == 96);
    assert!(offset_of!(ScanArguments, walk_end) == 32);
    assert!(offset_of!(ScanArguments, vec) == 40);
    assert!(offset_of!(ScanArguments, category_inverted) == 64);
    assert!(offset_of!(ScanArguments, return_mask) == 88);
};

/// `PAGE_IS_PRESENT` and `PAGE_IS_PFNZERO` (include/uapi/linux/fs.h).
const PAGE_IS_PRESENT: u64 = 1 << 3;
const PAGE_IS_PFNZERO: u64 = 1 << 5;

/// `PAGEMAP_SCAN`: `_IOWR('f', 16, struct pm_scan_arg)` (include/uapi/linux/fs.h).
struct Scan<'a> {
    arguments: ScanArguments,
    /// What `arguments.vec` points to.
    _regions: &'a mut [PageRegion],
}

impl<'a> Scan<'a> {
    fn new(start: u64, end: u64, regions: &'a mut [PageRegion]) -> Self {
        Self {
            arguments: ScanArguments {
                size: size_of::<ScanArguments>() as u64,
                start,
                end,
                vec: regions.as_mut_ptr().expose_provenance() as u64,
                vec_len: regions.len() as u64,
                // Present, and not the page of zeros.
                category_inverted: PAGE_IS_PFNZERO,
                category_mask: PAGE_IS_PRESENT | PAGE_IS_PFNZERO,
                return_mask: PAGE_IS_PRESENT,
                ..ScanArguments::default()
            },
            _regions: regions,
        }
    }
}

// SAFETY: the opcode is the one whose argument is `ScanArguments`, as the layout asserted above says;
// the kernel writes to it, as `IS_MUTATING` says, and to at most `vec_len` regions at `vec`, which is
// what `_regions` borrows for as long as this lives.
unsafe impl Ioctl for Scan<'_> {
    /// Regions filled, and where the walk ended.
    type Output = (usize, u64);

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        ioctl::opcode::read_write::<ScanArguments>(b'f', 16)
    }

    fn as_ptr(&mut self) -> *mut std::ffi::c_void {
        (&raw mut self.arguments).cast()
    }

    unsafe fn output_from_ptr(
        regions: IoctlOutput,
        arguments: *mut std::ffi::c_void,
    ) -> rustix::io::Result<Self::Output> {
        // SAFETY: rustix hands back the pointer from `as_ptr`.
        let arguments = unsafe { &*arguments.cast::<ScanArguments>() };
        let regions = usize::try_from(regions).map_err(|_| Errno::INVAL)?;
        Ok((regions, arguments.walk_end))
    }
}

fn by_scan(pagemap: &File, ranges: &[PageRange]) -> Result<Vec<(Address, u64)>, Errno> {
    let mut regions = vec![PageRegion::default(); REGIONS];
    let mut joined = Joined::default();
    for range in ranges {
        let mut start = range.start;
        while start < range.end {
            let scan = Scan::new(start, range.end, &mut regions);
            // SAFETY: a pagemap file; `Scan` says why its opcode and pointers are right.
            let (filled, walk_end) = match unsafe { ioctl::ioctl(pagemap, scan) } {
                Err(Errno::INTR) => continue,
                other => other?,
            };
            for region in regions.iter().take(filled) {
                joined.add(region.start, region.end);
            }
            if walk_end <= start {
                // No progress: a kernel that has another idea of this call.
                return Err(Errno::INVAL);
            }
            start = walk_end;
        }
    }
    Ok(joined.into_ranges())
}

fn by_entries(pagemap: &File, ranges: &[PageRange]) -> Result<Vec<(Address, u64)>, Errno> {
    let page = rustix::param::page_size() as u64;
    let mut buffer = vec![0; ENTRIES * 8];
    let mut joined = Joined::default();
    for range in ranges {
        let mut start = range.start;
        while start < range.end {
            let wanted = usize::try_from((range.end - start) / page).unwrap_or(ENTRIES);
            let buffer = &mut buffer[..wanted.min(ENTRIES) * 8];
            let read = match pread(pagemap, &mut *buffer, start / page * 8) {
                Ok(0) => return Ok(joined.into_ranges()),
                Err(Errno::INTR) => continue,
                other => other?,
            };
            let (entries, _) = buffer[..read].as_chunks();
            for &entry in entries {
                if u64::from_ne_bytes(entry) & ENTRY_PRESENT != 0 {
                    joined.add(start, start + page);
                }
                start += page;
            }
        }
    }
    Ok(joined.into_ranges())
}

#[cfg(test)]
mod tests;
