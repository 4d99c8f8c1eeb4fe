//! `/proc/PID/smaps`: what `maps` says, and of each mapping how much is in memory, how much is swapped
//! out, and the kernel's flags.
//!
//! The kernel walks the page tables for it: a few µs for a mapping with nothing in memory, about a ms
//! for each 100 MiB that is.

use super::directory::Directory;
use super::error::ProcError;
use super::maps::MapsLine;
use tracer_ledger::event::Pid;
use tracer_ledger::event::{Mapped, VmFlags};

/// Every mapping of a process with its figures, ascending.
///
/// # Errors
/// If the process is gone, has no address space, or must not be looked at.
pub(crate) fn smaps(pid: Pid) -> Result<Vec<Mapped>, ProcError> {
    let directory = Directory::open(pid)?;
    directory.ask_any_thread(|folder| {
        let name = format!("{folder}smaps");
        let text = directory.read(&name)?;
        let mapped = parse(&text).map_err(|line| ProcError::Malformed {
            path: directory.path(&name),
            text: line,
        })?;
        Ok((!mapped.is_empty()).then_some(mapped))
    })
}

/// The stack pointers of the threads that sleep or wait in a system call, as far as they may be read
/// (`/proc/PID/task/TID/syscall`: the last but one field; proc_pid_syscall(5)).
///
/// # Errors
/// If the process is gone.
pub(crate) fn stack_pointers(pid: Pid) -> Result<Vec<u64>, ProcError> {
    let directory = Directory::open(pid)?;
    let pointers = directory.tasks()?.into_iter().filter_map(|tid| {
        let text = directory.read(&format!("task/{}/syscall", tid.0)).ok()?;
        stack_pointer(&text)
    });
    Ok(pointers.collect())
}

fn stack_pointer(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let field = text.split_whitespace().rev().nth(1)?;
    u64::from_str_radix(field.strip_prefix("0x")?, 16).ok()
}

/// The mappings in `text`, or the line that makes no sense.
fn parse(text: &[u8]) -> Result<Vec<Mapped>, String> {
    let mut found: Vec<Mapped> = Vec::with_capacity(text.len() / 700);
    for line in text.split(|&byte| byte == b'\n') {
        let Some(first) = line.first() else { continue };
        // The kernel's keys begin with a capital letter, its addresses are in small ones.
        if !first.is_ascii_uppercase() {
            let malformed = || String::from_utf8_lossy(line).into_owned();
            let mapping = MapsLine::parse(line).ok_or_else(malformed)?.mapping();
            found.push(Mapped {
                mapping,
                ..Mapped::default()
            });
            continue;
        }
        let Some(mapped) = found.last_mut() else {
            return Err(String::from_utf8_lossy(line).into_owned());
        };
        if let Some(value) = line.strip_prefix(b"Rss:") {
            mapped.resident_bytes = kibibytes(value).unwrap_or(0);
        } else if let Some(value) = line.strip_prefix(b"Swap:") {
            mapped.swapped_bytes = kibibytes(value).unwrap_or(0);
        } else if let Some(value) = line.strip_prefix(b"VmFlags:") {
            let words = std::str::from_utf8(value).unwrap_or_default();
            mapped.flags = words.split_ascii_whitespace().collect::<VmFlags>();
        }
    }
    Ok(found)
}

/// The bytes in `        1476 kB`.
fn kibibytes(value: &[u8]) -> Option<u64> {
    let number = std::str::from_utf8(value).ok()?.trim().strip_suffix("kB")?;
    number.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_belong_to_the_mapping_above_them() {
        let text = b"1000-3000 rw-p 00000000 00:00 0      [heap]\nSize: 8 kB\nRss:      4 kB\nSwap:     4 kB\nVmFlags: rd wr mr mw me ac \n\
            a000-b000 ---p 00000000 00:00 0 \nRss: 0 kB\nVmFlags: mr mw me nr dc \n";
        let found = parse(text).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].resident_bytes, 4096);
        assert_eq!(found[0].swapped_bytes, 4096);
        assert!(found[0].flags.has("ac") && !found[0].flags.has("nr"));
        assert!(found[1].flags.has("nr") && found[1].flags.has("dc"));
        assert_eq!(found[1].resident_bytes, 0);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        assert_eq!(parse(b"Rss: 0 kB\n"), Err("Rss: 0 kB".into()));
        assert_eq!(parse(b"zz\n"), Err("zz".into()));
    }

    #[test]
    fn the_stack_pointer_is_the_last_but_one_field() {
        let text = b"7 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffd5f0 0x7f12\n";
        assert_eq!(stack_pointer(text), Some(0x7ff_d5f0));
        assert_eq!(stack_pointer(b"-1 0x7ffd5f0 0x7f12\n"), Some(0x7ff_d5f0));
        assert_eq!(stack_pointer(b"running\n"), None);
    }

    #[test]
    fn smaps_of_this_process_agree_with_its_maps() {
        let pid = Pid(std::process::id());
        let found = smaps(pid).unwrap();
        let stack = found.iter().find(|one| one.mapping.name == "[stack]");
        assert!(stack.is_some_and(|stack| stack.resident_bytes > 0 && stack.flags.has("gd")));
        assert!(found.len() > 10);
    }
}
