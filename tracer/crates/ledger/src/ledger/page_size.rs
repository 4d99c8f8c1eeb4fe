//! Rounding to pages, as the kernel does it.

use std::ops::Range;

use crate::event::Address;

/// No address space that a kernel gives to a process reaches further (x86-64 with five levels of page
/// tables: 2^56 for the user's half). What a damaged recording claims beyond it is not believed, and
/// sums of bytes cannot overflow.
const LIMIT: u64 = 1 << 57;

/// The size of a page: a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(u64);

impl PageSize {
    /// From the trace's header. A size that is no power of two is taken up to the next: a recording
    /// may say anything, and nothing here may fail on it.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self(bytes.min(1 << 30).next_power_of_two())
    }

    /// Bytes in a page.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }

    /// The start of the page that holds `address`.
    #[must_use]
    pub fn down(self, address: u64) -> u64 {
        address & !(self.0 - 1)
    }

    /// `value` rounded up to a multiple of `unit`, a power of two.
    fn up_to(value: u64, unit: u64) -> Option<u64> {
        Some(value.checked_add(unit - 1)? & !(unit - 1))
    }

    /// `value` rounded up to whole pages; `None` beyond the end of the address space.
    #[must_use]
    pub fn up(self, value: u64) -> Option<u64> {
        Self::up_to(value, self.0)
    }

    /// The bytes of a call on `length` bytes at `address`: `None` if there are none.
    #[must_use]
    pub fn range(self, address: Address, length: u64) -> Option<Range<u64>> {
        self.range_in(address, length, self.0)
    }

    /// As [`Self::range`], with the length rounded up to `unit` (a huge page), a power of two.
    #[must_use]
    pub fn range_in(self, address: Address, length: u64, unit: u64) -> Option<Range<u64>> {
        let start = self.down(address.0);
        let end = start.checked_add(Self::up_to(length, unit.clamp(self.0, LIMIT))?)?;
        (start < end && end <= LIMIT).then_some(start..end)
    }

    /// The numbers of the pages of a range of bytes.
    #[must_use]
    pub fn pages(self, range: &Range<u64>) -> Range<u64> {
        let shift = self.0.trailing_zeros();
        range.start >> shift..range.end >> shift
    }

    /// A range of bytes given by its ends, made whole pages; `None` if nothing is left.
    #[must_use]
    pub fn between(self, start: Address, end: Address) -> Option<Range<u64>> {
        self.range(start, end.0.checked_sub(self.down(start.0))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_rounded_up_to_pages() {
        let page = PageSize::new(4096);
        assert_eq!(page.range(Address(0x1000), 1), Some(0x1000..0x2000));
        assert_eq!(page.range(Address(0x1000), 0x1001), Some(0x1000..0x3000));
        assert_eq!(page.range(Address(0x1000), 0), None);
        assert_eq!(page.range(Address(u64::MAX), 1), None);
        assert_eq!(page.range(Address(0x1000), u64::MAX), None);
    }

    #[test]
    fn a_huge_page_mapping_is_rounded_up_to_huge_pages() {
        let page = PageSize::new(4096);
        assert_eq!(page.range_in(Address(0), 1, 2 << 20), Some(0..2 << 20));
    }

    #[test]
    fn a_page_size_from_a_damaged_recording_is_still_a_power_of_two() {
        assert_eq!(PageSize::new(0).bytes(), 1);
        assert_eq!(PageSize::new(5000).bytes(), 8192);
        assert_eq!(PageSize::new(1 << 63).bytes(), 1 << 30);
    }
}
