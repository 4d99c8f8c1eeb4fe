//! What the ledger takes for the kernel's rules, asked of the kernel that runs the test.
#![allow(
    clippy::unwrap_used,
    reason = "a test's helpers fail like the test itself"
)]

mod puppet;

mod kernel;

mod both;

mod calls;

mod mappings;

mod protections;

mod remaps;

mod segments;

mod memory;

mod forks;

mod huge_pages;

mod failures;

mod storm;
