//! Unwinding and naming held against call chains that are known, in real processes.
#![cfg(target_arch = "x86_64")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "fixtures/compiled.rs"]
mod compiled;
#[path = "fixtures/named.rs"]
mod named;
#[path = "fixtures/stopped.rs"]
mod stopped;

use compiled::compile;
use stopped::Stopped;
use tracer::stacks::{Copied, RawStack, Unwinder, Unwound};
use tracer_common::stack::{BY_RULE, Rule};
use tracer_ledger::event::{Cause, Frame, FrameKind, Pid, SpaceId, StackQuality};

const OPTIMISED: [&str; 2] = ["-O2", "-fomit-frame-pointer"];

fn named(pid: Pid, stack: Unwound) -> Vec<Frame> {
    named::named(pid, vec![stack]).swap_remove(0)
}

/// Function names, `?` where there is none.
fn functions(frames: &[Frame]) -> Vec<&str> {
    frames
        .iter()
        .map(|frame| frame.function.as_deref().unwrap_or("?"))
        .collect()
}

/// Names of a chain that must be complete, after what leads from the program's start to `main`.
fn complete(stopped: &Stopped) -> Vec<String> {
    let unwound = stopped.unwound();
    assert_eq!(
        unwound.quality,
        StackQuality::Complete,
        "{:x?}",
        unwound.frames
    );
    let frames = named(stopped.pid(), unwound);
    functions(&frames).into_iter().map(str::to_owned).collect()
}

fn assert_chain(names: &[String], chain: &[&str]) {
    assert_eq!(names[..chain.len().min(names.len())], *chain, "{names:?}");
    assert_eq!(names.last().unwrap(), "_start", "{names:?}");
    // Between `main` and `_start` lie one or two functions of libc's.
    let below = names.len() - names.iter().position(|name| name == "main").unwrap();
    assert!((3..=4).contains(&below), "{names:?}");
}

#[test]
fn every_caller_is_found_without_frame_pointers() {
    let program = compile("chain.c", "plain-O2", &OPTIMISED);
    let names = complete(&Stopped::itself(&program, "plain"));
    assert_chain(
        &names,
        &["kill", "stop_here", "inner", "middle", "outer", "main"],
    );
}

#[test]
fn every_caller_is_found_without_optimisation() {
    let program = compile("chain.c", "plain-O0", &["-O0"]);
    let names = complete(&Stopped::itself(&program, "plain"));
    assert_chain(
        &names,
        &["kill", "stop_here", "inner", "middle", "outer", "main"],
    );
}

#[test]
fn tables_without_an_index_and_tables_in_debug_frame_serve_too() {
    let no_index = compile(
        "chain.c",
        "plain-no-index",
        &[
            "-O2",
            "-fomit-frame-pointer",
            "-Wl,--no-eh-frame-hdr",
            "-no-pie",
        ],
    );
    let names = complete(&Stopped::itself(&no_index, "plain"));
    assert_chain(
        &names,
        &["kill", "stop_here", "inner", "middle", "outer", "main"],
    );
    let debug_frame = compile(
        "chain.c",
        "plain-debug-frame",
        &[
            "-O2",
            "-fomit-frame-pointer",
            "-fno-asynchronous-unwind-tables",
        ],
    );
    let names = complete(&Stopped::itself(&debug_frame, "plain"));
    assert_chain(
        &names,
        &["kill", "stop_here", "inner", "middle", "outer", "main"],
    );
}

#[test]
fn a_realigned_frame_and_its_callers_are_found() {
    let program = compile("chain.c", "realigned", &OPTIMISED);
    let names = complete(&Stopped::itself(&program, "realigned"));
    assert_chain(&names, &["kill", "stop_here", "inner", "realigned", "main"]);
}

#[test]
fn the_walk_goes_through_a_signal_handler_to_what_it_interrupted() {
    let program = compile("chain.c", "signal", &OPTIMISED);
    let names = complete(&Stopped::itself(&program, "signal"));
    let raise = names.iter().position(|name| name == "raise").unwrap();
    assert_eq!(names[..3], ["kill", "stop_here", "on_signal"], "{names:?}");
    assert_chain(&names[raise..], &["raise", "signalled", "main"]);
}

#[test]
fn the_place_of_an_interruption_is_exact_and_no_return_address() {
    let program = compile("chain.c", "fault", &OPTIMISED);
    let names = complete(&Stopped::itself(&program, "fault"));
    let faulting = names.iter().position(|name| name == "faulting").unwrap();
    assert_eq!(names[..3], ["kill", "stop_here", "on_signal"], "{names:?}");
    assert_chain(&names[faulting..], &["faulting", "faults", "main"]);
}

#[test]
fn code_made_at_run_time_is_walked_by_frame_pointer_and_named_by_its_map() {
    let program = compile("chain.c", "through", &OPTIMISED);
    let stopped = Stopped::itself(&program, "through");
    let names = complete(&stopped);
    assert_chain(
        &names,
        &[
            "kill",
            "stop_here",
            "inner",
            "compiled",
            "through_made_code",
            "main",
        ],
    );
    let frame = named(stopped.pid(), stopped.unwound()).swap_remove(3);
    assert_eq!(
        (frame.file.as_deref(), frame.line),
        (Some("/app/made up.js"), Some(12))
    );
    assert_eq!((frame.kind, frame.module), (FrameKind::Interpreted, None));
}

#[test]
fn code_made_at_run_time_is_walked_by_frame_pointer_in_the_first_frame_too() {
    let program = compile("chain.c", "in", &OPTIMISED);
    let stopped = Stopped::itself(&program, "in");
    assert_chain(&complete(&stopped), &["compiled", "in_made_code", "main"]);
    let unwound = stopped.unwound();
    let first = unwound.frames[0];
    assert!(unwound.rules.iter().all(|(address, _)| *address != first));
}

#[test]
fn code_of_a_file_without_tables_is_walked_by_frame_pointer_in_the_first_frame_too() {
    let program = compile("chain.c", "builtin", &OPTIMISED);
    let stopped = Stopped::itself(&program, "builtin");
    assert_chain(&complete(&stopped), &["builtin", "in_builtin", "main"]);
}

#[test]
fn a_thread_s_malloc_arena_is_traced_back_to_who_called_malloc() {
    let program = compile("chain.c", "thread", &OPTIMISED);
    // mmap of twice HEAP_MAX_SIZE, to be trimmed to an aligned half.
    let stopped = Stopped::itself(&program, "thread").until_call(9, 128 << 20);
    let unwound = stopped.unwound();
    assert_eq!(unwound.quality, StackQuality::Complete);
    let frames = named(stopped.pid(), unwound);
    let names = functions(&frames);
    assert_eq!(names[0], "mmap", "{names:?}");
    let malloc = names.iter().position(|&name| name == "malloc").unwrap();
    assert_eq!(names[malloc + 1], "worker", "{names:?}");
    // start_thread and clone3 follow, which only a debug file names.
    assert_eq!(names.len(), malloc + 4, "{names:?}");
    let libc = frames[malloc].module.clone();
    assert!(
        frames[..=malloc].iter().all(|frame| frame.module == libc),
        "{frames:#?}"
    );
}

#[test]
fn a_return_address_behind_its_function_s_end_is_not_the_next_function_s() {
    let program = compile("chain.c", "noreturn", &OPTIMISED);
    let names = complete(&Stopped::itself(&program, "noreturn"));
    let chain = [
        "kill",
        "stop_here",
        "inner",
        "never_returns",
        "ends_with_a_call",
        "main",
    ];
    assert_chain(&names, &chain);
}

#[test]
fn a_forked_copy_is_unwound_by_its_parent_s_code_if_it_is_gone() {
    let program = compile("chain.c", "forked", &OPTIMISED);
    let stopped = Stopped::itself(&program, "plain");
    let mut unwinder = Unwinder::new();
    let frames = unwinder.unwind(&stopped.raw(&[])).frames;
    let (parent, child) = (SpaceId(1), SpaceId(2));
    unwinder.forked(parent, child);
    unwinder.forget(parent);
    // No process has this number: /proc/sys/kernel/pid_max is below it on every kernel.
    let raw = RawStack {
        pid: Pid(1 << 30),
        space: child,
        ..stopped.raw(&[])
    };
    let unwound = unwinder.unwind(&raw);
    assert_eq!(
        (unwound.frames, unwound.quality),
        (frames, StackQuality::Complete)
    );
}

#[test]
fn the_rule_of_a_frameless_leaf_leads_to_its_caller() {
    let program = compile("chain.c", "rule", &OPTIMISED);
    let stopped = Stopped::itself(&program, "plain");
    let unwound = stopped.unwound();
    let (address, rule) = unwound.rules[0];
    assert_eq!(address, unwound.frames[0]);
    assert_eq!((rule.base, rule.offset, rule.fp_offset), (0, 8, 0));
    let caller = stopped.copied[..8]
        .try_into()
        .map(u64::from_ne_bytes)
        .unwrap();
    assert_eq!(caller, unwound.frames[1]);
    let (address, last) = unwound.rules.last().unwrap();
    assert_eq!(
        (Some(address), last.base),
        (unwound.frames.last(), Rule::OUTERMOST),
        "nothing has called `_start`"
    );
}

#[test]
fn the_kernel_is_said_to_agree_only_if_it_found_the_very_same_frames() {
    let program = compile("chain.c", "agree", &OPTIMISED);
    let stopped = Stopped::itself(&program, "plain");
    let frames = stopped.unwound().frames;
    let agrees = |kernel: &[u64]| {
        Unwinder::new()
            .unwind(&stopped.raw(kernel))
            .agrees_with_kernel
    };
    assert!(agrees(&frames[1..]));
    assert!(!agrees(&frames[2..]));
    assert!(!agrees(&frames[1..frames.len() - 1]));
    assert!(!agrees(&[]));
}

#[test]
fn a_copy_too_short_cuts_the_stack_and_leaves_what_is_right() {
    let program = compile("chain.c", "short", &OPTIMISED);
    let stopped = Stopped::itself(&program, "plain");
    let whole = stopped.unwound();
    let mut raw = stopped.raw(&[]);
    raw.copied.bytes = &stopped.copied[..64];
    let cut = Unwinder::new().unwind(&raw);
    assert_eq!(cut.quality, StackQuality::Cut);
    assert!(cut.frames.len() > 1 && cut.frames.len() < whole.frames.len());
    assert_eq!(cut.frames, whole.frames[..cut.frames.len()]);
}

#[test]
fn a_page_that_could_not_be_read_cuts_the_stack_and_is_not_taken_for_zeros() {
    let program = compile("chain.c", "hole", &OPTIMISED);
    let stopped = Stopped::itself(&program, "plain");
    let mut raw = stopped.raw(&[]);
    raw.copied.missing = 1;
    let cut = Unwinder::new().unwind(&raw);
    assert_eq!(cut.quality, StackQuality::Cut);
    let whole = stopped.unwound().frames;
    assert_eq!(cut.frames, whole[..cut.frames.len()]);
    // What is missing is the stack pointer's page only: another does not matter to what ends below it.
    raw.copied.missing = 1 << 15;
    assert_eq!(Unwinder::new().unwind(&raw).frames, whole);
}

#[test]
fn a_coroutine_s_chain_ends_where_makecontext_began_it() {
    let program = compile("chain.c", "coroutine", &OPTIMISED);
    let names = complete(&Stopped::itself(&program, "coroutine"));
    assert_eq!(
        names[..4],
        ["kill", "stop_here", "inner", "in_coroutine"],
        "{names:?}"
    );
    assert_eq!(names.len(), 5, "{names:?}");
}

#[test]
fn what_a_handler_on_another_stack_has_interrupted_is_found_in_the_other_copy() {
    let program = compile("chain.c", "other-stack", &OPTIMISED);
    let stopped = Stopped::itself(&program, "signal");
    let whole = stopped.unwound();
    // The same bytes as two stacks: up to the signal's frame, and from there on.
    let split = 1024;
    let mut raw = stopped.raw(&[]);
    raw.copied.bytes = &stopped.copied[..split];
    let cut = Unwinder::new().unwind(&raw);
    assert_eq!(cut.quality, StackQuality::Cut);
    assert_eq!(cut.frames, whole.frames[..cut.frames.len()]);
    raw.other = Some(Copied {
        start: stopped.sp + split as u64,
        bytes: &stopped.copied[split..],
        missing: 0,
    });
    let joined = Unwinder::new().unwind(&raw);
    assert_eq!(
        (joined.quality, joined.frames),
        (StackQuality::Complete, whole.frames)
    );
}

#[test]
fn a_frame_larger_than_framehop_can_count_and_its_callers_are_found() {
    let program = compile("chain.c", "huge", &OPTIMISED);
    let names = complete(&Stopped::itself(&program, "huge"));
    assert_chain(&names, &["kill", "stop_here", "inner", "huge", "main"]);
}

#[test]
fn pages_of_the_copy_that_are_not_there_matter_only_where_something_is_read_from_them() {
    let program = compile("chain.c", "roomy", &OPTIMISED);
    let stopped = Stopped::itself(&program, "roomy");
    let whole = stopped.unwound();
    let unwound = |missing: u16| {
        let mut raw = stopped.raw(&[]);
        // The first bit is that of the stack pointer's page.
        raw.copied.missing = missing << 1;
        Unwinder::new().unwind(&raw)
    };
    // Of the five pages of the frame the middle ones hold nothing, and all of them its end.
    assert_eq!(unwound(0b0110).frames, whole.frames);
    assert_eq!(unwound(0b0110).quality, StackQuality::Complete);
    let cut = unwound(0b1111_1110);
    assert_eq!(cut.quality, StackQuality::Cut);
    assert_eq!(cut.frames, whole.frames[..cut.frames.len()]);
    assert_eq!(
        cut.incomplete.map(|(cause, _)| cause),
        Some(Cause::BeyondCopy)
    );
}

#[test]
fn beyond_the_copy_the_kernel_is_believed_where_it_went_by_the_very_rules() {
    let program = compile("chain.c", "beyond", &OPTIMISED);
    let stopped = Stopped::itself(&program, "plain");
    let whole = stopped.unwound();
    assert_eq!(whole.quality, StackQuality::Complete);
    let by_rule: Vec<u64> = whole.frames[1..]
        .iter()
        .map(|frame| frame | BY_RULE)
        .collect();
    let unwound = |kernel: &[u64]| {
        let mut raw = stopped.raw(kernel);
        raw.copied.bytes = &stopped.copied[..64];
        Unwinder::new().unwind(&raw)
    };
    let alone = unwound(&[]);
    assert_eq!(alone.quality, StackQuality::Cut);
    let believed = unwound(&by_rule);
    assert_eq!(believed.frames, whole.frames);
    assert_eq!(believed.quality, StackQuality::Complete);
    assert!(believed.agrees_with_kernel);
    // By frame pointer, where there is none: the same addresses are not believed.
    let guessed = unwound(&whole.frames[1..]);
    assert_eq!(
        (guessed.frames.len(), guessed.quality),
        (alone.frames.len(), StackQuality::Cut)
    );
    // Nor are any where the kernel did not find what is known to be there.
    let mut elsewhere = by_rule.clone();
    elsewhere[0] = whole.frames[2] | BY_RULE;
    assert_eq!(unwound(&elsewhere).quality, StackQuality::Cut);
    // What goes on behind the program's start is not of this stack; too few frames are no whole stack.
    let mut longer = by_rule.clone();
    longer.push(whole.frames[1]);
    let ended = unwound(&longer);
    assert_eq!(
        (ended.frames, ended.quality),
        (whole.frames.clone(), StackQuality::Complete)
    );
    assert!(!ended.agrees_with_kernel);
    let short = unwound(&by_rule[..by_rule.len() - 1]);
    assert_eq!(
        (short.frames.len(), short.quality),
        (whole.frames.len() - 1, StackQuality::Cut)
    );
}

#[test]
fn a_stack_deeper_than_any_walk_is_cut() {
    let program = compile("chain.c", "deep", &["-O1", "-fomit-frame-pointer"]);
    let unwound = Stopped::itself(&program, "deep").unwound();
    assert_eq!(unwound.quality, StackQuality::Cut);
    assert_eq!(unwound.frames.len(), tracer_common::stack::MAX_FRAMES + 1);
}

#[test]
fn a_walk_that_loses_its_way_is_broken_and_shows_no_frame_that_is_not_code() {
    let program = compile("chain.c", "lost", &OPTIMISED);
    let stopped = Stopped::itself(&program, "plain");
    let mut raw = stopped.raw(&[]);
    let garbage = vec![0x41; 4096];
    raw.copied.bytes = &garbage;
    let lost = Unwinder::new().unwind(&raw);
    assert_eq!((lost.quality, lost.frames.len()), (StackQuality::Broken, 1));
    // The kernel's walk came further: it is shown, and still called broken.
    let frames = stopped.unwound().frames;
    let kernels = [frames[3], frames[4], 4];
    raw.kernel_frames = &kernels;
    let longer = Unwinder::new().unwind(&raw);
    assert_eq!(longer.frames, [frames[0], frames[3], frames[4]]);
    assert_eq!(
        (longer.quality, longer.agrees_with_kernel),
        (StackQuality::Broken, false)
    );
}

#[test]
fn a_stack_is_named_after_its_process_and_its_file_are_gone() {
    let program = compile("chain.c", "gone", &OPTIMISED);
    let stopped = Stopped::itself(&program, "plain");
    std::fs::remove_file(&program).unwrap();
    let (pid, unwound) = (stopped.pid(), stopped.unwound());
    drop(stopped);
    let frames = named(pid, unwound);
    assert_eq!(functions(&frames)[..3], ["kill", "stop_here", "inner"]);
    assert_eq!(frames[1].module.as_deref(), program.to_str());
    assert_eq!(
        frames[1]
            .file
            .as_deref()
            .map(|file| file.ends_with("chain.c")),
        Some(true)
    );
}

#[test]
fn of_a_process_of_which_nothing_is_known_no_word_of_its_stack_is_taken_for_an_address() {
    // Above the kernel's own limit for process ids (PID_MAX_LIMIT, 4 Mi).
    let (pid, secret) = (Pid(4_194_399), 0x1122_3344_5566_7788);
    let unwound = Unwinder::new().unwind(&RawStack {
        pid,
        space: SpaceId(1),
        ip: 0x40_1000,
        sp: 0x7fff_0000,
        fp: 0x7fff_0010,
        kernel_frames: &[secret, secret + 1],
        copied: Copied::default(),
        other: None,
        flags: 0,
    });
    assert_eq!(unwound.frames, [0x40_1000]);
    assert_eq!(unwound.quality, StackQuality::Broken);
    assert_eq!(unwound.incomplete, Some((Cause::Gone, String::new())));
}
