//! Code made at run time whose name changes: a stack has the name that was valid when it was taken.

use std::collections::HashMap;

use tracer_ledger::event::{Action, Event, Nanoseconds, Stack, StackId};
use tracer_recording::Reader;

use crate::{
    command::folder,
    compiled::{FRAME_POINTERS, compile},
    recorded::record,
};

/// New stacks, each taken a moment before the name changes.
const OFTEN: u64 = 20;
/// How long the first name holds, and each of the last two, and how long an old one may still be shown. s
const LAST: u64 = 3;
const BEHIND: u64 = 2;

/// What the code was called in the stack of each call that maps: by length, pages, in order.
fn names() -> HashMap<u64, Vec<(Nanoseconds, String)>> {
    let folder = folder();
    let program = compile(
        folder.path(),
        include_str!("../fixtures/renamed.c"),
        &FRAME_POINTERS,
    );
    let path = folder.path().join("renamed.vmt");
    let words = [OFTEN.to_string(), LAST.to_string()];
    let words: Vec<_> = words.iter().map(AsRef::as_ref).collect();
    record(&path, &program, &words);

    let mut reader = Reader::open(&path).unwrap();
    let (mut stacks, mut calls) = (HashMap::<StackId, Stack>::new(), Vec::new());
    while let Some(event) = reader.read().unwrap() {
        match event {
            Event::Call(call) => {
                if let Action::Map { length, .. } = call.action {
                    calls.push((length / 4096, call.stamp.time, call.stack));
                }
            }
            Event::Stack(stack) => {
                stacks.insert(stack.id, stack);
            }
            _ => {}
        }
    }
    let name = |id: StackId| {
        let frames = &stacks.get(&id)?.frames;
        let of = |at: usize| frames.get(at).and_then(|frame| frame.function.as_deref());
        let at = (0..frames.len()).find(|&at| of(at) == Some("step"))?;
        Some(of(at + 1).unwrap_or("unknown").to_owned())
    };
    let mut names: HashMap<u64, Vec<_>> = HashMap::new();
    for (pages, time, stack) in calls {
        let called = name(stack).unwrap_or_default();
        names.entry(pages).or_default().push((time, called));
    }
    names
}

#[test]
fn a_stack_has_the_name_that_was_valid_when_it_was_taken() {
    let names = names();
    let first: Vec<_> = names[&16].iter().map(|(_, name)| name).collect();
    assert!(first.len() > 100, "{}", first.len());
    assert!(first.iter().all(|name| *name == "one0"), "{first:?}");

    // Each of these was named when the next name was in the file already.
    for turn in 1..=OFTEN {
        let [(_, name)] = &names[&(32 + turn)][..] else {
            panic!("{names:?}")
        };
        let valid = format!("valid{turn}");
        assert!(
            [valid.as_str(), "unknown"].contains(&name.as_str()),
            "{turn}: {name}"
        );
    }

    // Here every stack is, address by address, one that had another name.
    for (pages, name, before) in [(31, "last0", "one0"), (30, "final0", "last0")] {
        let all = &names[&pages];
        let (begin, _) = all[0];
        let late = all
            .iter()
            .filter(|(time, _)| time.0 - begin.0 > BEHIND * 1_000_000_000);
        let late: Vec<_> = late.map(|(_, name)| name.as_str()).collect();
        assert!(late.len() > 100, "{}", late.len());
        // Of what was under way when the next name was found nobody knows: it has no stack.
        let other = late.iter().find(|called| ![name, ""].contains(called));
        assert_eq!(other, None, "not {name}");
        let named = late.iter().filter(|called| **called == name);
        assert!(named.count() > late.len() / 2, "{late:?}");
        let known = [before, name, "unknown", ""];
        assert!(
            all.iter()
                .all(|(_, called)| known.contains(&called.as_str()))
        );
    }
}
