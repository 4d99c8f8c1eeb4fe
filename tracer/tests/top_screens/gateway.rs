//! The real gateway.

use crate::frames::*;

use tracer::top::state::MainPart;
use tracer_test_traces::golden;

#[test]
fn the_gateway_at_three_sizes() {
    let mut state = state([10, 20, 60].map(gateway));
    assert_eq!(
        state.page,
        MainPart::List,
        "the gateway starts other processes"
    );
    press(&mut state, "\n");
    golden::check("top-80x24.txt", &drawn(&state, 80, 24));
    golden::check("top-120x40.txt", &drawn(&state, 120, 40));
    golden::check("top-200x60.txt", &drawn(&state, 200, 60));
}

#[test]
fn the_list_the_help_and_the_details_of_the_gateway() {
    let mut state = state([20, 60].map(gateway));
    golden::check("top-list-120x24.txt", &drawn(&state, 120, 24));
    press(&mut state, "\n\n");
    golden::check("top-details-80x24.txt", &drawn(&state, 80, 24));
    press(&mut state, "\n?");
    golden::check("top-help-80x24.txt", &drawn(&state, 80, 24));
}

#[test]
fn paused_marked_and_filtered_the_gateway_says_so() {
    let mut state = state([10, 20, 60].map(gateway));
    press(&mut state, "\n,,m");
    assert!(
        state
            .message
            .as_deref()
            .unwrap()
            .starts_with("marked at 7.5 s")
    );
    press(&mut state, "./wasm\n");
    let text = drawn(&state, 100, 24);
    assert!(
        text.lines()
            .next()
            .unwrap()
            .ends_with("PAUSED at 17.5 s, 2 of 3 kept"),
        "{text}"
    );
    assert!(text.contains("grown since the mark at 7.5 s"), "{text}");
    assert!(text.contains("/wasm"), "{text}");
    let kinds = state
        .rows
        .iter()
        .filter_map(|row| Some(&row.pattern.as_ref()?.id));
    assert!(kinds.into_iter().any(|id| id == "v8-wasm-memory"), "{text}");
    assert!(state.left_out > 10, "{text}");
}

#[test]
fn too_small_a_screen_says_so_in_one_line() {
    let state = state([gateway(10)]);
    let text = drawn(&state, 50, 10);
    assert_eq!(
        text.trim_end(),
        "too small: 60 × 16 needed, 50 × 10 here (q: quit)"
    );
}

/// Every size from nothing to large, in every state: nothing panics.
#[test]
fn no_size_is_too_odd() {
    let mut state = state([gateway(60)]);
    for keys in ["", "\n", "\n", "?", "x", "/abc", "\x1b", "w", "\x1b"] {
        press(&mut state, keys);
        for (width, height) in [(1, 1), (60, 16), (61, 17), (80, 24), (300, 16), (60, 100)] {
            drawn(&state, width, height);
        }
    }
}
