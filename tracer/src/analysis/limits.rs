//! What a process could run into.

use super::summary::{Limits, Span};

/// At 80 % of a limit, or over it.
#[must_use]
pub fn is_near(value: u64, limit: u64) -> bool {
    u128::from(value) * 5 >= u128::from(limit) * 4
}

/// The limits that a process came near to, by name. `resident`: its resident bytes, if anybody looked.
#[must_use]
pub fn near(limits: &Limits, virtual_bytes: Span, resident: Option<Span>) -> Vec<&'static str> {
    let memory = limits
        .cgroup_memory_max_bytes
        .or(limits.memory_total_bytes)
        .zip(resident);
    let maps = limits.maps.zip(limits.max_map_count);
    let near = [
        (
            "RLIMIT_AS",
            limits
                .address_space_bytes
                .is_some_and(|limit| is_near(virtual_bytes.peak, limit)),
        ),
        (
            "vm.max_map_count",
            maps.is_some_and(|(maps, most)| is_near(maps, most)),
        ),
        (
            "the memory there is",
            memory.is_some_and(|(limit, resident)| is_near(resident.peak, limit)),
        ),
    ];
    near.into_iter()
        .filter_map(|(name, is_near)| is_near.then_some(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::near;
    use crate::analysis::summary::{Limits, Span};

    #[test]
    fn each_limit_is_near_from_four_fifths_on() {
        let span = |peak| Span {
            peak,
            ..Span::default()
        };
        let limits = Limits {
            address_space_bytes: Some(100),
            max_map_count: Some(10),
            maps: Some(8),
            cgroup_memory_max_bytes: Some(50),
            ..Limits::default()
        };
        assert_eq!(
            near(&limits, span(80), Some(span(39))),
            ["RLIMIT_AS", "vm.max_map_count"]
        );
        assert_eq!(
            near(&limits, span(79), Some(span(40))),
            ["vm.max_map_count", "the memory there is"]
        );
        assert!(near(&Limits::default(), span(80), None).is_empty());
    }
}
