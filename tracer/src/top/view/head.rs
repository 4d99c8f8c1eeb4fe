//! Who it is, and whether this is the present.

use crate::top::{history::Moment, state::State};
use tracer_analysis::{summary::Process, units::duration};
use tracer_report::text::{
    line::{Line, Paint, cut_end, width as columns},
    process::about,
};

/// From so many lines on there is room for larger curves.
pub(super) const TALL: u16 = 34;

/// Name, pid, runtime, how long; at the right whether this is the present.
pub(super) fn title(state: &State, process: &Process, width: u16) -> Line {
    let width = usize::from(width);
    let (paint, when) = match &state.pinned {
        Some(pinned) => {
            let kept = state.history.moments().count();
            let at = state
                .history
                .moments()
                .position(|(number, _)| number == pinned.number);
            let at = at.map_or(0, |at| at + 1);
            let of = duration(state.clock(pinned.t_ns()));
            (Paint::Warn, format!("PAUSED at {of}, {at} of {kept} kept"))
        }
        _ if state.over => (Paint::Warn, "ENDED: q quits".into()),
        _ => (Paint::Dim, "live".into()),
    };
    let mut line = Line::new();
    line.add(Paint::Bright, &cut_end(&name(process), 20));
    let room = width.saturating_sub(columns(&when) + 2);
    for part in parts(state, process) {
        let part = format!(" · {part}");
        let left = room.saturating_sub(line.width());
        if left > 6 {
            line.add(Paint::Plain, &cut_end(&part, left));
        }
    }
    line.right(paint, &when, width);
    line
}

/// What it is called.
pub(super) fn name(process: &Process) -> String {
    if process.comm.is_empty() {
        "?".into()
    } else {
        process.comm.clone()
    }
}

/// Pid, runtime, how long, and before that how it ended: that says more.
pub(super) fn parts(state: &State, process: &Process) -> Vec<String> {
    let mut parts = about(process, state.moment().map_or(0, Moment::t_ns));
    if process.exit.is_some() {
        parts[1..].rotate_right(1);
    }
    parts
}
