//! The figures of `/proc/PID/status`, `limits` and `smaps_rollup`, and the CPU clock of a process.

use super::directory::Directory;
use super::error::ProcError;
use super::limits::resource_limits;
use tracer_ledger::event::{Account, Nanoseconds, Pid, Sample, Shares, Totals, Usage};

/// How much memory a process has now, in the kernel's own words: `VmSize`, `VmRSS`, `VmHWM`; and what it is, and how
/// much CPU time was used. `time` is when the caller asks; [`Sample::maps`] is left open.
///
/// The kernel counts resident pages per thread and adds them up now and then: `VmRSS` may be off by
/// some 64 pages a thread (Documentation/filesystems/proc.rst). `VmSize` is exact.
///
/// # Errors
/// If the process is gone or has no address space.
pub(crate) fn sample(pid: Pid, time: Nanoseconds) -> Result<(Sample, Usage), ProcError> {
    let directory = Directory::open(pid)?;
    let cpu_ns = cpu_time(pid);
    directory.ask_any_thread(|folder| {
        let text = directory.read(&format!("{folder}status"))?;
        // What a kernel does not count, there is none of.
        let bytes = |key: &[u8]| figure(&text, key).unwrap_or(0);
        let figures = || {
            Some(Sample {
                time,
                pid,
                virtual_bytes: figure(&text, b"VmSize:")?,
                resident_bytes: figure(&text, b"VmRSS:")?,
                resident_peak_bytes: figure(&text, b"VmHWM:")?,
                maps: None,
            })
        };
        let usage = Usage {
            time,
            pid,
            cpu_ns,
            anonymous_bytes: bytes(b"RssAnon:"),
            file_bytes: bytes(b"RssFile:"),
            shared_memory_bytes: bytes(b"RssShmem:"),
            swapped_bytes: bytes(b"VmSwap:"),
            locked_bytes: bytes(b"VmLck:"),
            hugetlb_bytes: bytes(b"HugetlbPages:"),
            page_table_bytes: bytes(b"VmPTE:"),
            threads: number(&text, b"Threads:").unwrap_or(0),
        };
        Ok(figures().map(|sample| (sample, usage)))
    })
}

/// CPU time of all threads of a process, ns, also of those that have ended: its clock, whose number is made of its own
/// (`CPUCLOCK_SCHED` in include/linux/posix-timers.h). `None`: it is gone.
fn cpu_time(pid: Pid) -> Option<u64> {
    const SCHEDULED: libc::clockid_t = 2;
    let clock = (!i32::try_from(pid.0).ok()? << 3) | SCHEDULED;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the kernel writes the one `timespec` that is handed over.
    let done = unsafe { libc::clock_gettime(clock, &raw mut time) };
    if done != 0 {
        return None;
    }
    let seconds = u64::try_from(time.tv_sec).ok()?;
    Some(seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).ok()?)
}

/// The kernel's account of a process's address space, and what it may take: `/proc/PID/status` and
/// `/proc/PID/limits`. The lines of `/proc/PID/maps` are its mappings: all but `[vsyscall]`, which is the kernel's.
///
/// # Errors
/// If the process is gone or has no address space.
pub(crate) fn account(pid: Pid) -> Result<Account, ProcError> {
    let directory = Directory::open(pid)?;
    let limits = resource_limits(&directory.read("limits")?);
    let page = rustix::param::page_size() as u64;
    directory.ask_any_thread(|folder| {
        let text = directory.read(&format!("{folder}status"))?;
        let pages = |key: &[u8]| figure(&text, key).map(|bytes| bytes / page);
        let Some(total_pages) = pages(b"VmSize:") else {
            return Ok(None);
        };
        let maps = directory.read(&format!("{folder}maps"))?;
        let lines = maps.split(|&byte| byte == b'\n');
        let of_process = |line: &&[u8]| !line.is_empty() && !line.ends_with(b"[vsyscall]");
        Ok(Some(Account {
            totals: Totals {
                total_pages,
                stack_pages: pages(b"VmStk:").unwrap_or(0),
            },
            data_pages: pages(b"VmData:").unwrap_or(0),
            locked_pages: pages(b"VmLck:").unwrap_or(0),
            mappings: lines.filter(of_process).count() as u64,
            limits,
        }))
    })
}

/// Whose the resident pages of a process are: `/proc/PID/smaps_rollup`, for which the kernel walks all its page tables.
/// `time` is set when the reading has ended.
///
/// # Errors
/// If the process is gone or has no address space, or the kernel has no such file.
pub(crate) fn shares(pid: Pid, time: impl Fn() -> Nanoseconds) -> Result<Shares, ProcError> {
    let directory = Directory::open(pid)?;
    directory.ask_any_thread(|folder| {
        let text = directory.read(&format!("{folder}smaps_rollup"))?;
        let Some(resident_bytes) = figure(&text, b"Rss:") else {
            return Ok(None);
        };
        // What a kernel does not count, there is none of.
        let sum = |keys: &[&[u8]]| {
            let figures = keys.iter().filter_map(|key| figure(&text, key));
            figures.sum()
        };
        Ok(Some(Shares {
            time: time(),
            pid,
            resident_bytes,
            proportional_bytes: sum(&[b"Pss:"]),
            private_bytes: sum(&[b"Private_Clean:", b"Private_Dirty:"]),
            shared_bytes: sum(&[b"Shared_Clean:", b"Shared_Dirty:"]),
            lazily_freed_bytes: sum(&[b"LazyFree:"]),
            huge_page_bytes: sum(&[b"AnonHugePages:", b"ShmemPmdMapped:", b"FilePmdMapped:"]),
            hugetlb_bytes: sum(&[b"Shared_Hugetlb:", b"Private_Hugetlb:"]),
            locked_bytes: sum(&[b"Locked:"]),
        }))
    })
}

/// The bytes behind `key`, as `VmSize: 22568612 kB`. A name, which the process chooses, stands in a
/// line of its own: the kernel escapes newlines in it.
fn figure(text: &[u8], key: &[u8]) -> Option<u64> {
    let kibibytes = value(text, key)?.strip_suffix(" kB")?;
    kibibytes.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The number behind `key`, as `Threads: 11`.
fn number(text: &[u8], key: &[u8]) -> Option<u64> {
    value(text, key)?.parse().ok()
}

fn value<'a>(text: &'a [u8], key: &[u8]) -> Option<&'a str> {
    let line = text
        .split(|&byte| byte == b'\n')
        .find_map(|line| line.strip_prefix(key))?;
    Some(std::str::from_utf8(line).ok()?.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_by_their_key() {
        let text = b"Name:\tVmSize:\\nVmSize: 1 kB\nVmPeak:\t 9 kB\nVmSize:\t22568612 kB\nVmRSS:\t  418688 kB\n";
        assert_eq!(figure(text, b"VmSize:"), Some(22_568_612 << 10));
        assert_eq!(figure(text, b"VmRSS:"), Some(418_688 << 10));
        assert_eq!(figure(text, b"VmHWM:"), None);
        assert_eq!(number(b"Threads:\t11\n", b"Threads:"), Some(11));
    }

    #[test]
    fn the_account_of_this_process_is_the_kernels() {
        let account = account(Pid(std::process::id())).unwrap();
        let limit = rustix::process::getrlimit(rustix::process::Resource::Stack);
        assert_eq!(account.limits.stack_bytes, limit.current);
        assert!(account.totals.total_pages > account.data_pages && account.data_pages > 0);
        assert!(account.mappings > 10);
    }

    #[test]
    fn the_shares_of_this_process_add_up() {
        let shares = shares(Pid(std::process::id()), || Nanoseconds(5)).unwrap();
        assert_eq!(shares.time, Nanoseconds(5));
        let sum = shares.private_bytes + shares.shared_bytes;
        assert_eq!(shares.resident_bytes, sum);
        assert!(shares.proportional_bytes >= shares.private_bytes);
        assert!(shares.proportional_bytes <= shares.resident_bytes);
    }

    #[test]
    fn the_clock_of_a_process_goes_on_while_it_works() {
        let own = Pid(std::process::id());
        let before = cpu_time(own).unwrap();
        let mut now = before;
        // It is this process that works meanwhile.
        while now < before + 1_000_000 {
            now = cpu_time(own).unwrap();
        }
        assert_eq!(cpu_time(Pid(u32::MAX)), None);
    }
}
