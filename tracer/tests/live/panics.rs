//! Stacks of calls that are made while a panic unwinds the stack: each knows how deep it is.

use std::collections::HashMap;

use tracer_ledger::event::{Action, Event, StackQuality};
use tracer_recording::Reader;

use crate::{
    command::{example, folder},
    recorded::record,
};

/// As in the example.
const BESIDE: u64 = 1000;
const PAGE: u64 = 4096;

#[test]
fn a_guard_that_a_panic_drops_has_the_frames_that_are_still_there() {
    const ROUNDS: u64 = 40;
    let folder = folder();
    let path = folder.path().join("panics.vmt");
    let rounds = ROUNDS.to_string();
    record(&path, &example("panicking"), &[rounds.as_ref()]);
    let mut reader = Reader::open(&path).unwrap();
    let (mut stacks, mut calls) = (HashMap::new(), Vec::new());
    while let Some(event) = reader.read().unwrap() {
        match event {
            Event::Call(call) => {
                if let Action::Map { length, .. } = call.action
                    && (1..=ROUNDS).contains(&(length / PAGE).saturating_sub(BESIDE))
                {
                    calls.push((length / PAGE - BESIDE, call.stack));
                }
            }
            Event::Stack(stack) => {
                stacks.insert(stack.id, stack);
            }
            _ => {}
        }
    }
    assert_eq!(calls.len() as u64, ROUNDS * (ROUNDS + 1) / 2);
    for (depth, id) in calls {
        let stack = &stacks[&id];
        let names: Vec<_> = stack
            .frames
            .iter()
            .filter(|frame| !frame.inlined)
            .map(|frame| frame.function.as_deref().unwrap_or("?"))
            .collect();
        assert_eq!(stack.quality, StackQuality::Complete, "{names:?}");
        let levels = names.iter().filter(|name| **name == "panicking::level");
        assert_eq!(levels.count() as u64, depth, "{names:?}");
        assert_eq!(names[0], "mmap", "{names:?}");
        assert_eq!(names.last(), Some(&"_start"), "{names:?}");
    }
}
