//! The figures of `/proc/PID/status`.

use super::directory::Directory;
use super::error::ProcError;
use tracer_ledger::event::{Nanoseconds, Pid, Sample};

/// How much memory a process has now, in the kernel's own words: `VmSize`, `VmRSS`, `VmHWM`. `time`
/// is when the caller asks; [`Sample::maps`] is left open.
///
/// The kernel counts resident pages per thread and adds them up now and then: `VmRSS` may be off by
/// some 64 pages a thread (Documentation/filesystems/proc.rst). `VmSize` is exact.
///
/// # Errors
/// If the process is gone or has no address space.
pub(crate) fn sample(pid: Pid, time: Nanoseconds) -> Result<Sample, ProcError> {
    let directory = Directory::open(pid)?;
    directory.ask_any_thread(|folder| {
        let text = directory.read(&format!("{folder}status"))?;
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
        Ok(figures())
    })
}

/// The bytes behind `key`, as `VmSize: 22568612 kB`. A name, which the process chooses, stands in a
/// line of its own: the kernel escapes newlines in it.
fn figure(text: &[u8], key: &[u8]) -> Option<u64> {
    let line = text
        .split(|&byte| byte == b'\n')
        .find_map(|line| line.strip_prefix(key))?;
    let kibibytes = std::str::from_utf8(line).ok()?.trim().strip_suffix(" kB")?;
    kibibytes.trim().parse::<u64>().ok()?.checked_mul(1024)
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
    }
}
