//! Panics in flight, for tests: `panicking ROUNDS`. In each round a chain of calls gets deeper by one, and
//! the deepest panics. On the way up each level's guard maps and unmaps memory: as many pages as its level
//! is deep, and [`BESIDE`] more.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
};

/// Pages besides the level's own.
const BESIDE: usize = 1000;
const PAGE: usize = 4096;

struct Guard(usize);

impl Drop for Guard {
    fn drop(&mut self) {
        let length = (BESIDE + self.0) * PAGE;
        // SAFETY: a new mapping, which nobody uses.
        unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let place = libc::mmap(ptr::null_mut(), length, libc::PROT_READ, flags, -1, 0);
            assert!(place != libc::MAP_FAILED);
            libc::munmap(place, length);
        }
    }
}

#[inline(never)]
fn level(depth: usize, deepest: usize) -> usize {
    let guard = Guard(depth);
    assert!(depth < deepest, "as far down as it goes");
    let below = level(depth + 1, deepest);
    std::hint::black_box(guard.0) + below
}

fn main() {
    let rounds = std::env::args().nth(1).and_then(|word| word.parse().ok());
    std::panic::set_hook(Box::new(|_| {}));
    for deepest in 1..=rounds.expect("usage: panicking ROUNDS") {
        let caught = catch_unwind(AssertUnwindSafe(|| level(1, deepest)));
        assert!(caught.is_err());
    }
}
