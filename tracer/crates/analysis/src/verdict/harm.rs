//! What a process could run into: for each limit how far it is from it, and when it gets there if it goes
//! on as it does.

use crate::model::summary::{Harm, Limits, Rate, Span};

/// What the limits are held against.
#[derive(Clone, Copy, Debug, Default)]
pub struct Position {
    /// Mapped bytes.
    pub virtual_bytes: Span,
    /// Resident bytes, if anybody looked.
    pub resident: Option<Span>,
    /// Growth of the mapped bytes.
    pub virtual_rate: Option<Rate>,
    /// Growth of the resident bytes.
    pub resident_rate: Option<Rate>,
    /// The mapped bytes can be foretold to go on growing.
    pub virtual_goes_on: bool,
    /// So can the resident bytes.
    pub resident_goes_on: bool,
}

/// At 80 % of a limit, or over it.
fn is_near(value: u64, limit: u64) -> bool {
    u128::from(value) * 5 >= u128::from(limit) * 4
}

/// Every limit that there is for this process, in the order in which they are told.
#[must_use]
pub fn harms(limits: &Limits, position: &Position) -> Vec<Harm> {
    let mut harms = Vec::new();
    if let Some(limit) = limits.address_space_bytes {
        harms.push(harm(
            ("address-space", "RLIMIT_AS"),
            position.virtual_bytes,
            limit,
            (position.virtual_rate, position.virtual_goes_on),
        ));
    }
    // Only where the kernel counts strictly does the commit limit stop anybody.
    if limits.overcommit_memory == Some(2)
        && let Some((used, limit)) = limits.committed_bytes.zip(limits.commit_limit_bytes)
    {
        harms.push(Harm {
            shared: true,
            ..harm(("commit", "commit limit"), now(used), limit, (None, false))
        });
    }
    if let Some((maps, limit)) = limits.maps.zip(limits.max_map_count) {
        harms.push(harm(
            ("mappings", "vm.max_map_count"),
            now(maps),
            limit,
            (None, false),
        ));
    }
    let memory = match (limits.cgroup_memory_max_bytes, limits.memory_total_bytes) {
        (Some(limit), _) => Some((("cgroup", "the cgroup's memory.max"), limit)),
        (None, Some(total)) => Some((("memory", "the memory there is"), total)),
        (None, None) => None,
    };
    if let Some(((id, name), limit)) = memory
        && let Some(resident) = position.resident
    {
        let growth = (position.resident_rate, position.resident_goes_on);
        harms.push(harm((id, name), resident, limit, growth));
    }
    if let Some((total, free)) = limits.swap_total_bytes.zip(limits.swap_free_bytes)
        && total > 0
    {
        let used = total.saturating_sub(free);
        harms.push(Harm {
            shared: true,
            ..harm(("swap", "swap"), now(used), total, (None, false))
        });
    }
    harms
}

fn now(value: u64) -> Span {
    Span {
        start: value,
        peak: value,
        end: value,
    }
}

fn harm(
    (id, name): (&str, &str),
    used: Span,
    limit: u64,
    (rate, goes_on): (Option<Rate>, bool),
) -> Harm {
    const HOUR_NS: u128 = 3_600_000_000_000;
    let reached = rate.filter(|_| goes_on).map(|rate| {
        let left = u128::from(limit.saturating_sub(used.end));
        u64::try_from(left * HOUR_NS / u128::from(rate.median.max(1))).unwrap_or(u64::MAX)
    });
    Harm {
        id: id.into(),
        name: name.into(),
        used: used.end,
        limit,
        near: is_near(used.peak, limit),
        shared: false,
        growth_per_hour: rate,
        reached_in_ns: reached,
    }
}

/// The limits that it came near to, by name.
#[must_use]
pub fn near(harms: &[Harm]) -> Vec<&str> {
    let near = harms.iter().filter(|harm| harm.near);
    near.map(|harm| harm.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Position, harms, near, now};
    use crate::model::summary::{Limits, Rate, Span};

    const HOUR: u64 = 3_600_000_000_000;

    fn position(peak: u64, resident: Option<u64>) -> Position {
        Position {
            virtual_bytes: Span {
                peak,
                ..Span::default()
            },
            resident: resident.map(now),
            ..Position::default()
        }
    }

    #[test]
    fn each_limit_is_near_from_four_fifths_on() {
        let limits = Limits {
            address_space_bytes: Some(100),
            max_map_count: Some(10),
            maps: Some(8),
            cgroup_memory_max_bytes: Some(50),
            ..Limits::default()
        };
        let of = |position: Position| harms(&limits, &position);
        assert_eq!(
            near(&of(position(80, Some(39)))),
            ["RLIMIT_AS", "vm.max_map_count"]
        );
        assert_eq!(
            near(&of(position(79, Some(40)))),
            ["vm.max_map_count", "the cgroup's memory.max"]
        );
        assert!(near(&harms(&Limits::default(), &position(80, None))).is_empty());
    }

    #[test]
    fn the_commit_limit_counts_only_where_the_kernel_is_strict() {
        let limits = |overcommit| Limits {
            overcommit_memory: Some(overcommit),
            commit_limit_bytes: Some(100),
            committed_bytes: Some(99),
            ..Limits::default()
        };
        assert!(harms(&limits(0), &position(1, None)).is_empty());
        assert_eq!(
            near(&harms(&limits(2), &position(1, None))),
            ["commit limit"]
        );
    }

    #[test]
    fn what_grows_gets_there_when_it_does() {
        let limits = Limits {
            memory_total_bytes: Some(1_000),
            ..Limits::default()
        };
        let growing = Position {
            resident_rate: Some(Rate {
                low: 90,
                median: 100,
                high: 110,
            }),
            ..position(1, Some(400))
        };
        let of = |resident_goes_on| {
            let position = Position {
                resident_goes_on,
                ..growing
            };
            harms(&limits, &position).remove(0)
        };
        assert_eq!(of(true).reached_in_ns, Some(6 * HOUR));
        assert!(!of(true).near);
        assert_eq!(of(false).reached_in_ns, None);
        assert_eq!(of(false).growth_per_hour, growing.resident_rate);
    }
}
