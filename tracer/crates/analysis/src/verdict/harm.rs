//! What a process could run into: for each limit, by the limit's own figures, how far it is from it, and when it gets
//! there if it goes on as it does.

use crate::model::limits::GroupUse;
use crate::model::summary::{Harm, Limits, Rate, Span};

/// What the limits are held against.
#[derive(Clone, Debug, Default)]
pub struct Position {
    /// Mapped bytes.
    pub virtual_bytes: Span,
    /// Resident bytes, if anybody looked.
    pub resident: Option<Span>,
    /// Growth of the mapped bytes.
    pub virtual_growth: Growth,
    /// Growth of the resident bytes that cannot be taken back.
    pub kept_growth: Growth,
    /// `RLIMIT_AS` by the kernel's last account, which may be another one than at the beginning.
    pub address_space_limit: Option<u64>,
    /// Against `RLIMIT_DATA`.
    pub data: Option<Counted>,
    /// Against `RLIMIT_STACK`.
    pub stack: Option<Counted>,
    /// Against `RLIMIT_MEMLOCK`.
    pub locked: Option<Counted>,
    /// Mappings by the kernel's count: at the end and at the most.
    pub mappings: Option<(u64, u64)>,
    /// Growth of their number.
    pub mappings_growth: Growth,
    /// The control group that limits it.
    pub group: Option<GroupPosition>,
}

/// How what counts against a limit grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    /// In an hour, at present; `None`: it does not, or that is not sure.
    pub rate: Option<Rate>,
    /// It can be foretold to go on.
    pub goes_on: bool,
}

/// What counts against a limit, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// At the end.
    pub used: u64,
    /// At the most.
    pub peak: u64,
    /// The limit.
    pub limit: u64,
}

/// How a control group stands to its limit, bytes.
#[derive(Clone, Debug, Default)]
pub struct GroupPosition {
    /// Its limit; `None`: it has none.
    pub limit: Option<u64>,
    /// What it uses.
    pub used: u64,
    /// The most that it used.
    pub peak: u64,
    /// The most of what the kernel cannot easily take back.
    pub working: u64,
    /// Growth of that.
    pub growth: Growth,
    /// What is swapped out, and what may be.
    pub swap: Option<(u64, u64)>,
    /// Who uses it, and what it did.
    pub about: GroupUse,
}

/// At 80 % of a limit, or over it.
fn is_near(value: u64, limit: u64) -> bool {
    u128::from(value) * 5 >= u128::from(limit) * 4
}

/// Every limit that there is for this process, in the order in which they are told.
#[must_use]
pub fn harms(limits: &Limits, position: &Position) -> Vec<Harm> {
    let mut harms = Vec::new();
    let address_space = position.address_space_limit.or(limits.address_space_bytes);
    if let Some(limit) = address_space {
        let used = position.virtual_bytes;
        let counted = Counted {
            used: used.end,
            peak: used.peak,
            limit,
        };
        harms.push(harm("address-space", counted, position.virtual_growth));
    }
    // Of what the process holds it, more than the limit is no use of it: it may do so (`CAP_IPC_LOCK`), or the
    // limit was set later.
    let within = |counted: Option<Counted>| counted.filter(|one| one.used <= one.limit);
    let resources = [
        ("data", within(position.data)),
        ("stack", within(position.stack)),
        ("locked", within(position.locked)),
    ];
    for (id, counted) in resources {
        harms.extend(counted.map(|counted| harm(id, counted, Growth::default())));
    }
    // Only where the kernel counts strictly does the commit limit stop anybody.
    if limits.overcommit_memory == Some(2)
        && let Some((used, limit)) = limits.committed_bytes.zip(limits.commit_limit_bytes)
    {
        harms.push(Harm {
            shared: true,
            ..harm("commit", now(used, limit), Growth::default())
        });
    }
    if let Some(((used, peak), limit)) = position.mappings.zip(limits.max_map_count) {
        let counted = Counted { used, peak, limit };
        harms.push(harm("mappings", counted, position.mappings_growth));
    }
    harms.extend(memory(limits, position));
    if let Some(group) = &position.group
        && let Some((used, limit)) = group.swap.filter(|(_, limit)| *limit > 0)
    {
        harms.push(harm("cgroup-swap", now(used, limit), Growth::default()));
    }
    if let Some((total, free)) = limits.swap_total_bytes.zip(limits.swap_free_bytes)
        && total > 0
    {
        let used = total.saturating_sub(free);
        harms.push(Harm {
            shared: true,
            ..harm("swap", now(used, total), Growth::default())
        });
    }
    harms
}

/// The limit of the memory itself: the control group's, by its own figures; or all that there is.
fn memory(limits: &Limits, position: &Position) -> Option<Harm> {
    if let Some(group) = &position.group
        && let Some(limit) = group.limit
    {
        let counted = Counted {
            used: group.used,
            peak: group.peak,
            limit,
        };
        let harm = harm("cgroup", counted, group.growth);
        return Some(Harm {
            // What the kernel takes back when it needs it is not what a group dies of.
            near: is_near(group.working, limit) || group.about.oom_kills > 0,
            group: Some(group.about.clone()),
            ..harm
        });
    }
    let (id, limit) = match limits.cgroup_memory_max_bytes {
        Some(limit) => ("cgroup", limit),
        None => ("memory", limits.memory_total_bytes?),
    };
    let resident = position.resident?;
    let counted = Counted {
        used: resident.end,
        peak: resident.peak,
        limit,
    };
    Some(harm(id, counted, position.kept_growth))
}

fn now(value: u64, limit: u64) -> Counted {
    Counted {
        used: value,
        peak: value,
        limit,
    }
}

/// A limit in words.
fn name(id: &str) -> &'static str {
    match id {
        "address-space" => "RLIMIT_AS",
        "data" => "RLIMIT_DATA",
        "stack" => "RLIMIT_STACK",
        "locked" => "RLIMIT_MEMLOCK",
        "commit" => "commit limit",
        "mappings" => "vm.max_map_count",
        "cgroup" => "the cgroup's memory.max",
        "cgroup-swap" => "the cgroup's swap",
        "swap" => "swap",
        _ => "the memory there is",
    }
}

fn harm(id: &str, counted: Counted, growth: Growth) -> Harm {
    const HOUR_NS: u128 = 3_600_000_000_000;
    let Counted { used, peak, limit } = counted;
    let reached = growth.rate.filter(|_| growth.goes_on).map(|rate| {
        let left = u128::from(limit.saturating_sub(used));
        u64::try_from(left * HOUR_NS / u128::from(rate.median.max(1))).unwrap_or(u64::MAX)
    });
    Harm {
        id: id.into(),
        name: name(id).into(),
        used,
        peak,
        limit,
        near: is_near(peak, limit),
        shared: false,
        growth_per_hour: growth.rate,
        reached_in_ns: reached,
        group: None,
    }
}

/// The limits that are near, were hit, or will be within a month.
#[must_use]
pub fn told(harms: &[Harm]) -> Vec<Harm> {
    const SOON: u64 = 30 * 24 * 3_600_000_000_000;
    let is_hit = |harm: &Harm| harm.group.as_ref().is_some_and(|group| group.oom_kills > 0);
    let is_soon = |harm: &Harm| harm.reached_in_ns.is_some_and(|time| time < SOON);
    let harms = harms.iter();
    harms
        .filter(|harm| harm.near || is_hit(harm) || is_soon(harm))
        .cloned()
        .collect()
}

/// The limits that it came near to, by name.
#[must_use]
pub fn near(harms: &[Harm]) -> Vec<&str> {
    let near = harms.iter().filter(|harm| harm.near);
    near.map(|harm| harm.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Counted, GroupPosition, Growth, Position, harms, near};
    use crate::model::limits::GroupUse;
    use crate::model::summary::{Harm, Limits, Rate, Span};

    const HOUR: u64 = 3_600_000_000_000;

    fn position(peak: u64, resident: Option<u64>) -> Position {
        Position {
            virtual_bytes: Span {
                peak,
                ..Span::default()
            },
            resident: resident.map(|bytes| Span {
                start: bytes,
                peak: bytes,
                end: bytes,
            }),
            mappings: Some((8, 8)),
            ..Position::default()
        }
    }

    #[test]
    fn each_limit_is_near_from_four_fifths_on() {
        let limits = Limits {
            address_space_bytes: Some(100),
            max_map_count: Some(10),
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
        let rate = Some(Rate {
            low: 90,
            median: 100,
            high: 110,
        });
        let of = |goes_on| {
            let position = Position {
                kept_growth: Growth { rate, goes_on },
                mappings: None,
                ..position(1, Some(400))
            };
            only(&limits, &position)
        };
        assert_eq!(of(true).reached_in_ns, Some(6 * HOUR));
        assert!(!of(true).near);
        assert_eq!(of(false).reached_in_ns, None);
        assert_eq!(of(false).growth_per_hour, rate);
    }

    fn only(limits: &Limits, position: &Position) -> Harm {
        let harms = harms(limits, position);
        assert_eq!(harms.len(), 1, "{harms:?}");
        harms[0].clone()
    }

    /// In a group of 200 that uses 190, of which this process has 3.
    fn in_group(reclaimable: u64) -> Position {
        Position {
            resident: position(0, Some(3)).resident,
            group: Some(GroupPosition {
                limit: Some(200),
                used: 190,
                peak: 190,
                working: 190 - reclaimable,
                about: GroupUse {
                    own_bytes: Some(3),
                    unmapped_bytes: 187,
                    ..GroupUse::default()
                },
                ..GroupPosition::default()
            }),
            ..Position::default()
        }
    }

    #[test]
    fn a_group_is_near_its_limit_by_its_own_usage_and_not_by_what_can_be_taken_back() {
        let limits = Limits {
            memory_total_bytes: Some(1_000),
            ..Limits::default()
        };
        let full = only(&limits, &in_group(0));
        assert_eq!(
            (full.id.as_str(), full.used, full.limit),
            ("cgroup", 190, 200)
        );
        assert!(full.near);
        assert_eq!(full.group.unwrap().unmapped_bytes, 187);
        let cache = only(&limits, &in_group(100));
        assert_eq!((cache.used, cache.near), (190, false));
    }

    #[test]
    fn each_resource_limit_has_what_the_kernel_counts_against_it() {
        let counted = |used, limit| {
            Some(Counted {
                used,
                peak: used,
                limit,
            })
        };
        let position = Position {
            data: counted(90, 100),
            stack: counted(1, 8),
            // With the right to lock what it likes.
            locked: counted(900, 8),
            ..Position::default()
        };
        let harms = harms(&Limits::default(), &position);
        assert_eq!(near(&harms), ["RLIMIT_DATA"]);
        let ids: Vec<&str> = harms.iter().map(|harm| harm.id.as_str()).collect();
        assert_eq!(ids, ["data", "stack"]);
    }

    #[test]
    fn what_was_near_its_limit_at_the_most_was_near() {
        let limits = Limits {
            max_map_count: Some(100),
            ..Limits::default()
        };
        let position = Position {
            mappings: Some((5, 99)),
            ..Position::default()
        };
        let harm = only(&limits, &position);
        assert_eq!((harm.used, harm.peak, harm.near), (5, 99, true));
    }
}
