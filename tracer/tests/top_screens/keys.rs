//! What keys do to a table.

use crate::frames::*;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tracer::top::history::Moment;
use tracer::top::rows::Column;
use tracer::top::state::{Action, MainPart, State};
use tracer_report::selection::By;

fn server() -> State {
    state([made(
        1,
        vec![
            site(1, "big", "main", 300),
            site(2, "middle", "worker", 200),
            site(3, "small", "worker", 100),
        ],
    )])
}

#[test]
fn keys_sort_and_turn_the_order_round_and_what_is_unknown_stays_last() {
    let mut state = server();
    assert_eq!((state.page, state.pid), (MainPart::Process, Some(7)));
    assert_eq!(names(&state), ["big", "middle", "small"]);
    press(&mut state, "6");
    assert_eq!(
        (names(&state), state.order.column),
        (vec!["small", "middle", "big"], Column::Calls)
    );
    press(&mut state, "6");
    assert_eq!(names(&state), ["big", "middle", "small"]);
    press(&mut state, "3");
    assert_eq!(names(&state), ["big", "small", "middle"]);
    press(&mut state, "r");
    assert_eq!(names(&state), ["small", "big", "middle"]);
    press(&mut state, "s");
    assert_eq!(state.order.column, Column::Resident);
}

#[test]
fn the_filter_acts_while_it_is_typed_and_escape_takes_it_back() {
    let mut state = server();
    press(&mut state, "/MID");
    assert_eq!((names(&state), state.left_out), (vec!["middle"], 2));
    press(&mut state, "\x08\x08\x08work\n");
    assert_eq!(names(&state), ["middle", "small"], "by the thread's name");
    press(&mut state, "/x");
    assert!(names(&state).is_empty());
    press(&mut state, "\x1b");
    assert_eq!(state.order.filter, "work", "as it was before");
    press(&mut state, "\x1b");
    assert_eq!(names(&state).len(), 3);
}

#[test]
fn g_groups_by_kind_thread_module_and_site_again() {
    let mut state = server();
    press(&mut state, "g");
    assert_eq!(
        (names(&state), state.order.by),
        (vec!["of no known kind"], By::Pattern)
    );
    press(&mut state, "g");
    assert_eq!(names(&state), ["main", "worker"]);
    press(&mut state, "g");
    assert_eq!(names(&state), ["server"]);
    press(&mut state, "g");
    assert_eq!(state.order.by, By::Site);
}

#[test]
fn growth_and_selection_follow_the_stack_when_sites_are_numbered_anew() {
    let mut state = server();
    press(&mut state, "mj");
    assert_eq!(state.row().unwrap().name, "middle");
    // The same stacks under other numbers, and one that is new.
    state.take(made(
        2,
        vec![
            site(1, "middle", "worker", 900),
            site(2, "new", "worker", 400),
            site(3, "big", "main", 250),
        ],
    ));
    assert_eq!(names(&state), ["middle", "new", "big"]);
    let grown: Vec<_> = state.rows.iter().map(|row| row.grown).collect();
    assert_eq!(grown, [Some(700), Some(400), Some(-50)]);
    assert_eq!(state.row().unwrap().name, "middle");
    press(&mut state, "2");
    assert_eq!(names(&state), ["middle", "new", "big"]);
    press(&mut state, "M");
    assert_eq!(state.baseline().map(Moment::t_ns), Some(1_000_000_000));
}

#[test]
fn a_pause_holds_what_is_shown_and_steps_go_through_what_is_kept() {
    let mut state = server();
    press(&mut state, " ");
    state.take(made(2, vec![site(1, "later", "main", 1)]));
    state.take(made(3, vec![site(1, "last", "main", 1)]));
    assert_eq!(names(&state), ["big", "middle", "small"]);
    press(&mut state, ".");
    assert_eq!(names(&state), ["later"]);
    press(&mut state, "...");
    assert_eq!(names(&state), ["last"]);
    assert!(state.pinned.is_some());
    press(&mut state, " ");
    state.take(made(4, vec![site(1, "newest", "main", 1)]));
    assert_eq!(names(&state), ["newest"]);
}

#[test]
fn saving_asks_for_a_name_and_quitting_for_nothing() {
    let mut state = server();
    assert_eq!(press(&mut state, "w"), None);
    assert_eq!(
        press(&mut state, "q.json\n"),
        Some(Action::Save("q.json".into()))
    );
    assert_eq!(press(&mut state, "w\n"), None, "no name");
    assert_eq!(press(&mut state, "q"), Some(Action::Quit));
    let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    press(&mut state, "/");
    assert_eq!(state.key(control), Some(Action::Quit), "also while typing");
}
