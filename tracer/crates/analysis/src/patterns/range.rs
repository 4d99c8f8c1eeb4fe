//! Sizes and ranges of sizes as patterns write them: `67108864`, `64 MiB`, `1 GiB..16 GiB`.

use crate::words::units::parse_bytes;

/// From–to, both included, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeRange {
    from: u64,
    to: u64,
}

impl SizeRange {
    /// Reads a size, or two with `..` between; either may be left out.
    ///
    /// # Errors
    /// What is wrong, without the place.
    pub fn read(text: &str) -> Result<Self, String> {
        let (from, to) = match text.split_once("..") {
            None => (size(text)?, size(text)?),
            Some((from, to)) => (
                if from.trim().is_empty() {
                    0
                } else {
                    size(from)?
                },
                if to.trim().is_empty() {
                    u64::MAX
                } else {
                    size(to)?
                },
            ),
        };
        if from > to {
            return Err(format!("`{text}` begins above its end"));
        }
        Ok(Self { from, to })
    }

    /// Whether all from the least to the most are within.
    #[must_use]
    pub fn holds(self, (least, most): (u64, u64)) -> bool {
        self.from <= least && most <= self.to
    }
}

/// Reads a size.
///
/// # Errors
/// What is wrong, without the place.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size: write 67108864, 64MiB or 1GiB..16GiB");
    parse_bytes(text).ok_or_else(wrong)
}

/// Some ranges, one of which is to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SizeRanges(pub Vec<SizeRange>);

impl SizeRanges {
    /// The one size that there is to choose.
    #[must_use]
    pub fn exact(&self) -> Option<u64> {
        match self.0.as_slice() {
            [one] if one.from == one.to => Some(one.from),
            _ => None,
        }
    }

    /// Whether one holds all from the least to the most.
    #[must_use]
    pub fn hold(&self, span: (u64, u64)) -> bool {
        self.0.iter().any(|range| range.holds(span))
    }
}

#[cfg(test)]
mod tests {
    use super::SizeRange;

    #[test]
    fn units_are_binary_however_they_are_written() {
        for text in ["64MiB", "64MB", "64 M", "64m", "65536k"] {
            assert_eq!(super::size(text), Ok(64 << 20), "{text}");
        }
    }

    #[test]
    fn a_size_is_exact_and_a_range_has_both_ends() {
        let holds = |text: &str, bytes: u64| SizeRange::read(text).unwrap().holds((bytes, bytes));
        assert!(holds("64 MiB", 64 << 20) && !holds("64MiB", (64 << 20) + 1));
        assert!(holds("1GiB..2GiB", 1 << 30) && holds("1GiB..2GiB", 2 << 30));
        assert!(!holds("1GiB..2GiB", (2 << 30) + 1));
        assert!(holds("..1MiB", 0) && holds("1MiB..", u64::MAX));
        assert!(
            !SizeRange::read("1MiB..2MiB")
                .unwrap()
                .holds((1 << 20, 3 << 20))
        );
        assert!(
            SizeRange::read("2MiB..1MiB")
                .unwrap_err()
                .contains("above its end")
        );
        assert!(SizeRange::read("much").unwrap_err().contains("is no size"));
    }
}
