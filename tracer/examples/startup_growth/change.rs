//! A change to the program that a budget is to find: more cages than there were.

use std::hint::black_box;

use super::growth::{CAGE, Refused, WASM_PAGE, open_pages, reserve_aligned};
use super::truth::Group;

/// The memory of one module more: 2 of its pages open, in one call.
#[inline(never)]
pub fn reserve_added_cage(group: &mut Group) -> Result<(), Refused> {
    let cage = reserve_aligned(group, CAGE, WASM_PAGE)?;
    open_pages(group, &cage, 0..2, 11)?;
    black_box(cage);
    Ok(())
}
