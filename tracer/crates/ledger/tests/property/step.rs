//! What a process may do next.

use crate::machine::{HEAP, PAGES};

/// One thing that the process does, if the kernel lets it.
#[derive(Clone, Debug)]
pub enum Step {
    /// Page, pages, protection, `MAP_*` bits.
    Map(usize, usize, u8, u32),
    Unmap(usize, usize),
    Protect(usize, usize, u8),
    /// Old page and pages, new page and pages, `MREMAP_*` bits.
    Remap(usize, usize, usize, usize, u32),
    /// A move of so many pages to a fixed place that fails on its way.
    RemapFails(usize, usize, usize),
    Break(usize),
    Fault(usize, bool),
    Advise(usize, usize, u32),
    /// Page, whether over what is there, whether for reading only.
    Attach(usize, bool, bool),
    /// The segment that has this page.
    Detach(usize),
    /// A look at what is in memory, which by now are these pages too, without a fault.
    Look(usize, usize),
}

pub const SHARED: u32 = 0x01;
pub const PRIVATE: u32 = 0x02;
pub const FIXED: u32 = 0x10;
pub const NORESERVE: u32 = 0x4000;
pub const POPULATE: u32 = 0x8000;

/// `MREMAP_*`.
pub const FIXED_PLACE: u32 = 2;
pub const DONT_UNMAP: u32 = 4;

/// `MADV_*`.
pub const DONT_NEED: u32 = 4;
pub const DONT_FORK: u32 = 10;
pub const DO_FORK: u32 = 11;
pub const WIPE_ON_FORK: u32 = 18;
pub const KEEP_ON_FORK: u32 = 19;
pub const POPULATE_READ: u32 = 22;
pub const POPULATE_WRITE: u32 = 23;

/// Any numbers, of which a step is made.
pub type Numbers = [u16; 6];

impl Step {
    /// The step that any numbers stand for.
    pub fn of([kind, a, b, c, d, e]: Numbers) -> Self {
        let page = |number: u16| usize::from(number) % PAGES;
        let count = |number: u16, most: usize| 1 + usize::from(number) % most;
        let protection = one(c, &[0, 1, 3, 3, 5]);
        match kind % 36 {
            0..6 => {
                let flags = [
                    0,
                    0,
                    FIXED,
                    FIXED,
                    FIXED,
                    NORESERVE,
                    FIXED | NORESERVE,
                    FIXED | POPULATE,
                ];
                let kind = one(e, &[PRIVATE, PRIVATE, PRIVATE, SHARED]);
                Self::Map(page(a), count(b, 23), protection, one(d, &flags) | kind)
            }
            6..9 => Self::Unmap(page(a), count(b, 15)),
            9..13 => Self::Protect(page(a), count(b, 6), protection),
            13..18 => {
                // In place or elsewhere, to a fixed place; and leaving the old place mapped.
                let flags = one(e, &[1, 1, 3, 3, 3, 5, 7]);
                let length = count(b, 6);
                if d.is_multiple_of(32) {
                    return Self::RemapFails(page(a), length, page(c));
                }
                let (old, new) = match d % 8 {
                    0 => (0, length),
                    1..4 => (length, length),
                    _ => (length, count(d / 8, 8)),
                };
                Self::Remap(page(a), old, page(c), new, flags)
            }
            18..20 => Self::Break(HEAP + usize::from(a) % (PAGES - HEAP)),
            20..28 => Self::Fault(page(a), b.is_multiple_of(2)),
            28..32 => {
                let advice = [
                    DONT_NEED,
                    DONT_FORK,
                    DO_FORK,
                    WIPE_ON_FORK,
                    KEEP_ON_FORK,
                    POPULATE_READ,
                    POPULATE_WRITE,
                ];
                Self::Advise(page(a), count(b, 6), one(c, &advice))
            }
            32 => Self::Attach(page(a), b.is_multiple_of(2), c.is_multiple_of(4)),
            33..35 => Self::Detach(page(a)),
            _ => Self::Look(page(a), usize::from(b) % 8),
        }
    }
}

fn one<T: Copy>(number: u16, of: &[T]) -> T {
    of[usize::from(number) % of.len()]
}

/// Numbers from a seed (xorshift64*).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn numbers(&mut self) -> Numbers {
        let (first, second) = (self.roll(), self.roll());
        let part = |from: u64, which: u32| (from >> (16 * which)) as u16;
        [
            part(first, 1),
            part(first, 2),
            part(first, 3),
            part(second, 1),
            part(second, 2),
            part(second, 3),
        ]
    }
}
