//! `PROT_*` and `MAP_*` bits in words.
//!
//! The numbers are those of `include/uapi/asm-generic/mman-common.h` and `mman.h`, which x86 and
//! arm64 share.

/// `rw-`, as in `/proc/PID/maps` without the last letter.
#[must_use]
pub fn protection(bits: u8) -> String {
    [(1, 'r'), (2, 'w'), (4, 'x')]
        .map(|(bit, letter)| if bits & bit != 0 { letter } else { '-' })
        .iter()
        .collect()
}

const NAMED: [(u32, &str); 11] = [
    (0x10, "FIXED"),
    (0x20, "ANONYMOUS"),
    (0x100, "GROWSDOWN"),
    (0x800, "DENYWRITE"),
    (0x2000, "LOCKED"),
    (0x4000, "NORESERVE"),
    (0x8000, "POPULATE"),
    (0x10000, "NONBLOCK"),
    (0x20000, "STACK"),
    (0x40000, "HUGETLB"),
    (0x10_0000, "FIXED_NOREPLACE"),
];
/// What the lowest bits say, which are a number.
const TYPES: [(u32, &str); 3] = [(1, "SHARED"), (2, "PRIVATE"), (3, "SHARED_VALIDATE")];

/// Every name that [`flags`] gives.
pub fn flag_names() -> impl Iterator<Item = &'static str> + Clone {
    TYPES.iter().chain(&NAMED).map(|(_, name)| *name)
}

/// The names without `MAP_`; bits without a name as one hexadecimal number.
#[must_use]
pub fn flags(bits: u32) -> Vec<String> {
    const TYPE: u32 = 0x0f;
    let mut words = Vec::new();
    let kind = bits & TYPE;
    match TYPES.iter().find(|(number, _)| *number == kind) {
        Some((_, name)) => words.push((*name).to_owned()),
        None if kind == 0 => {}
        None => words.push(format!("{kind:#x}")),
    }
    let mut rest = bits & !TYPE;
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
