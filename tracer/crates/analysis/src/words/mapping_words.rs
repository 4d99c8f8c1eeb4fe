//! `PROT_*` and `MAP_*` bits in words.

use tracer_ledger::bits;

/// `rw-`, as in `/proc/PID/maps` without the last letter.
#[must_use]
pub fn protection(protection: u8) -> String {
    [
        (bits::PROT_READ, 'r'),
        (bits::PROT_WRITE, 'w'),
        (bits::PROT_EXEC, 'x'),
    ]
    .map(|(bit, letter)| if protection & bit != 0 { letter } else { '-' })
    .iter()
    .collect()
}

const NAMED: [(u32, &str); 11] = [
    (bits::MAP_FIXED, "FIXED"),
    (bits::MAP_ANONYMOUS, "ANONYMOUS"),
    (bits::MAP_GROWSDOWN, "GROWSDOWN"),
    (bits::MAP_DENYWRITE, "DENYWRITE"),
    (bits::MAP_LOCKED, "LOCKED"),
    (bits::MAP_NORESERVE, "NORESERVE"),
    (bits::MAP_POPULATE, "POPULATE"),
    (bits::MAP_NONBLOCK, "NONBLOCK"),
    (bits::MAP_STACK, "STACK"),
    (bits::MAP_HUGETLB, "HUGETLB"),
    (bits::MAP_FIXED_NOREPLACE, "FIXED_NOREPLACE"),
];
/// What the lowest bits say, which are a number.
const TYPES: [(u32, &str); 3] = [
    (bits::MAP_SHARED, "SHARED"),
    (bits::MAP_PRIVATE, "PRIVATE"),
    (bits::MAP_SHARED_VALIDATE, "SHARED_VALIDATE"),
];

/// Every name that [`flags`] gives.
pub fn flag_names() -> impl Iterator<Item = &'static str> + Clone {
    TYPES.iter().chain(&NAMED).map(|(_, name)| *name)
}

/// The names without `MAP_`; bits without a name as one hexadecimal number.
#[must_use]
pub fn flags(flags: u32) -> Vec<String> {
    let mut words = Vec::new();
    let kind = flags & bits::MAP_TYPE;
    match TYPES.iter().find(|(number, _)| *number == kind) {
        Some((_, name)) => words.push((*name).to_owned()),
        None if kind == 0 => {}
        None => words.push(format!("{kind:#x}")),
    }
    let mut rest = flags & !bits::MAP_TYPE;
    for (bit, name) in NAMED {
        if rest & bit != 0 {
            words.push(name.to_owned());
            rest &= !bit;
        }
    }
    if rest != 0 {
        words.push(format!("{rest:#x}"));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{flags, protection};

    #[test]
    fn bits_become_the_words_of_the_manual() {
        assert_eq!(protection(0), "---");
        assert_eq!(protection(3), "rw-");
        assert_eq!(protection(5), "r-x");
        assert_eq!(flags(0x4022), ["PRIVATE", "ANONYMOUS", "NORESERVE"]);
        assert_eq!(flags(0x8000_0001), ["SHARED", "0x80000000"]);
        assert!(flags(0).is_empty());
    }
}
