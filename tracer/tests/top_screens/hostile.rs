//! What a traced process can choose.

use crate::frames::*;
use std::sync::Arc;

use tracer_analysis::summary::{Process, Remedy, Report, Who};

#[test]
fn names_of_a_hostile_process_move_nothing_on_the_screen() {
    const EVIL: &str = "e\x1b[2J\u{202e}\r\n\tvil";
    let mut evil = site(1, EVIL, EVIL, 300);
    evil.frames[0].module = Some(format!("/{EVIL}"));
    evil.frames[0].file = Some(EVIL.into());
    let mut report = Report::clone(&made(1, vec![evil]));
    let process = &mut report.processes[0];
    process.comm = EVIL.into();
    process.runtime = Some(EVIL.into());
    process.verdict.headline = EVIL.into();
    process.verdict.because = vec![EVIL.into()];
    process.verdict.who = vec![Who {
        site: EVIL.into(),
        name: EVIL.into(),
        place: Some(EVIL.into()),
        callers: vec![EVIL.into()],
        ..Who::default()
    }];
    process.verdict.change = vec![Remedy {
        knob: EVIL.into(),
        effect: EVIL.into(),
        ..Remedy::default()
    }];
    process.cmdline = vec![EVIL.into(), EVIL.into()];
    process.sites[0].key = EVIL.into();
    let other = Process {
        pid: 8,
        ..process.clone()
    };
    report.processes.push(other);
    let mut state = state([Arc::new(report)]);
    state.message = Some(EVIL.into());
    for keys in ["", "\n", "g", "gg", "g\n", "/\x1b]0;x"] {
        press(&mut state, keys);
        let text = drawn(&state, 120, 40);
        let bad = |letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}';
        assert!(!text.contains(bad), "{text:?}");
    }
    let text = drawn(&state, 120, 40);
    assert!(text.contains("e\\x1b[2J"), "{text}");
}
