//! What was refused, in sentences.

use super::told::STACK_GROWTH;
use crate::model::refused::{RefusalCause, Refused};
use crate::words::units::{bytes, count, moment};

/// `mmap of 64.0 GiB failed (ENOMEM): RLIMIT_AS is 8.0 GiB, 2.6 MiB used`; without a full stop.
#[must_use]
pub fn what(row: &Refused) -> String {
    let why = why(row);
    if row.call == STACK_GROWTH {
        return format!("The stack could not grow: {why}");
    }
    format!("{}: {why}", failed(row))
}

/// The same, and who asked: `…, by Buffer.alloc`.
#[must_use]
pub fn what_by(row: &Refused) -> String {
    let by = row.by.as_ref();
    what(row) + &by.map_or_else(String::new, |by| format!(", by {by}"))
}

/// `mmap of up to 64.0 GiB failed 12 times (ENOMEM)`.
fn failed(row: &Refused) -> String {
    let call = match row.call.as_str() {
        "clone" => "clone of a thread or process",
        call => call,
    };
    let up_to = if row.count > 1 { "up to " } else { "" };
    let of = match row.requested_bytes {
        0 => String::new(),
        size => format!(" of {up_to}{}", bytes(size)),
    };
    let times = match row.count {
        0 | 1 => String::new(),
        times => format!(" {} times", count(times)),
    };
    format!("{call}{of} failed{times} ({})", row.errno)
}

/// The limit that refused a call, and what there was against it.
#[must_use]
pub fn why(row: &Refused) -> String {
    let limit = row
        .limit
        .map_or_else(|| "is reached".into(), |limit| is(row.cause, limit));
    let used = match row.used {
        Some(used) if row.limit.is_some_and(|limit| used >= limit) && is_counted(row.cause) => {
            ", all used".into()
        }
        Some(used) if is_counted(row.cause) => format!(", {} used", count(used)),
        Some(used) => format!(", {} used", bytes(used)),
        None => String::new(),
    };
    match row.cause {
        RefusalCause::RlimitAs => format!("RLIMIT_AS {limit}{used}"),
        RefusalCause::RlimitData => format!("RLIMIT_DATA {limit}{used}"),
        RefusalCause::RlimitStack => format!("RLIMIT_STACK {limit}{used}"),
        RefusalCause::RlimitMemlock => format!("RLIMIT_MEMLOCK {limit}{used}"),
        RefusalCause::RlimitNproc => {
            format!("RLIMIT_NPROC {limit}{used} by processes and threads of its user")
        }
        RefusalCause::MaxMapCount => format!("vm.max_map_count {limit}{used}"),
        RefusalCause::Pids => format!("pids.max of its control group {limit}{used}"),
        RefusalCause::Overcommit if row.used.is_none() => match row.limit {
            Some(limit) => format!(
                "that is more at once than memory and swap, {} (vm.overcommit_memory is 0)",
                bytes(limit)
            ),
            None => "vm.overcommit_memory is 2, the commit limit reached".into(),
        },
        RefusalCause::Overcommit => {
            format!("the commit limit {limit}{used} (vm.overcommit_memory is 2)")
        }
        RefusalCause::HugetlbPool => match row.limit {
            Some(free) => format!("the pool of huge pages has {} left", bytes(free)),
            None => "the pool of huge pages has too few left".into(),
        },
        RefusalCause::AddressSpace => match row.limit {
            Some(end) => format!("no such room in {} of address space{used}", bytes(end)),
            None => "no such room in the address space".into(),
        },
        RefusalCause::Unknown => "by what is not known".into(),
    }
}

/// Where it was called, when, and what came of it: short parts, to be set beside each other.
#[must_use]
pub fn parts(row: &Refused) -> Vec<String> {
    let mut parts: Vec<String> = row.by.iter().cloned().collect();
    let (first, last) = (moment(row.first_ns), moment(row.last_ns));
    parts.push(if first == last {
        format!("at {first}")
    } else {
        format!("from {first} to {last}")
    });
    parts.extend(match row.had_instead_bytes {
        Some(0) => Some("then it worked".to_owned()),
        Some(had) => Some(format!("then had {}", bytes(had))),
        None if row.ended_after => Some("ended after it".to_owned()),
        None => None,
    });
    parts.extend(knob(row.cause).map(|knob| format!("set by {knob}")));
    parts
}

fn is(cause: RefusalCause, limit: u64) -> String {
    if is_counted(cause) {
        format!("is {}", count(limit))
    } else {
        format!("is {}", bytes(limit))
    }
}

/// Its limit is a number of things, not of bytes.
#[must_use]
pub fn is_counted(cause: RefusalCause) -> bool {
    matches!(
        cause,
        RefusalCause::MaxMapCount | RefusalCause::RlimitNproc | RefusalCause::Pids
    )
}

/// The setting that raises a limit, to copy; `None`: there is none.
#[must_use]
pub fn knob(cause: RefusalCause) -> Option<&'static str> {
    Some(match cause {
        RefusalCause::RlimitAs => "ulimit -v",
        RefusalCause::RlimitData => "ulimit -d",
        RefusalCause::RlimitStack => "ulimit -s",
        RefusalCause::RlimitMemlock => "ulimit -l",
        RefusalCause::RlimitNproc => "ulimit -u",
        RefusalCause::MaxMapCount => "sysctl vm.max_map_count",
        RefusalCause::Overcommit => "sysctl vm.overcommit_memory",
        RefusalCause::HugetlbPool => "sysctl vm.nr_hugepages",
        RefusalCause::Pids => "pids.max",
        RefusalCause::AddressSpace | RefusalCause::Unknown => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::what;
    use crate::model::refused::{RefusalCause, Refused};
    use crate::refusals::told::STACK_GROWTH;

    const GIB: u64 = 1 << 30;

    fn row(call: &str, requested_bytes: u64, count: u64) -> Refused {
        Refused {
            call: call.into(),
            requested_bytes,
            errno: "ENOMEM".into(),
            count,
            ..Refused::default()
        }
    }

    #[test]
    fn a_refusal_is_told_with_its_size_errno_and_limit() {
        for (mut row, cause, limit, used, text) in [
            (
                row("mmap", 64 * GIB, 1),
                RefusalCause::RlimitAs,
                Some(8 * GIB),
                Some(3 << 20),
                "mmap of 64.0 GiB failed (ENOMEM): RLIMIT_AS is 8.0 GiB, 3 MiB used",
            ),
            (
                row("mprotect", 4096, 1_200),
                RefusalCause::MaxMapCount,
                Some(65_530),
                Some(65_530),
                "mprotect of up to 4 KiB failed 1,200 times (ENOMEM): vm.max_map_count is 65,530, all used",
            ),
            (
                row("clone", 0, 2),
                RefusalCause::RlimitNproc,
                Some(100),
                Some(100),
                "clone of a thread or process failed 2 times (ENOMEM): RLIMIT_NPROC is 100, all used by processes \
                 and threads of its user",
            ),
            (
                row("mmap", 64 * GIB, 1),
                RefusalCause::Overcommit,
                Some(16 * GIB),
                None,
                "mmap of 64.0 GiB failed (ENOMEM): that is more at once than memory and swap, 16.0 GiB \
                 (vm.overcommit_memory is 0)",
            ),
            (
                row("mmap", GIB, 1),
                RefusalCause::Overcommit,
                Some(16 * GIB),
                Some(15 * GIB),
                "mmap of 1.0 GiB failed (ENOMEM): the commit limit is 16.0 GiB, 15.0 GiB used \
                 (vm.overcommit_memory is 2)",
            ),
            (
                row("mmap", 4 << 20, 1),
                RefusalCause::HugetlbPool,
                Some(0),
                None,
                "mmap of 4 MiB failed (ENOMEM): the pool of huge pages has 0 B left",
            ),
            (
                row("mremap", GIB, 1),
                RefusalCause::Unknown,
                None,
                None,
                "mremap of 1.0 GiB failed (ENOMEM): by what is not known",
            ),
            (
                row(STACK_GROWTH, 0, 1),
                RefusalCause::RlimitStack,
                Some(8 << 20),
                Some(8 << 20),
                "The stack could not grow: RLIMIT_STACK is 8 MiB, 8 MiB used",
            ),
        ] {
            row.cause = cause;
            row.limit = limit;
            row.used = used;
            assert_eq!(what(&row), text);
        }
    }
}
