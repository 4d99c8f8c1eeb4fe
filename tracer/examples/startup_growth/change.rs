//! A change to the program that a budget is to find: more cages than there were.

use std::hint::black_box;

use super::growth::{CAGE, CAGE_FRONT_GUARD, Refused, WASM_PAGE, protect, reserve_aligned, touch};
use super::truth::{Group, Range};

/// The memory of one module more: 2 of its pages open, in one call.
#[inline(never)]
pub fn reserve_added_cage(group: &mut Group) -> Result<(), Refused> {
    let cage = reserve_aligned(group, CAGE, WASM_PAGE)?;
    let open = Range {
        start: cage.start + CAGE_FRONT_GUARD,
        length: 2 * WASM_PAGE,
    };
    protect(group, open, libc::PROT_READ | libc::PROT_WRITE)?;
    group.opened(open.length);
    touch(group, open.start, 11);
    black_box(cage);
    Ok(())
}
