//! A part of a trace: the four sets.

use tracer_analysis::summary::Sets;
use tracer_analysis::window::Window;
use tracer_report::text::Style;

use tracer_test_traces::attached::{ME, found, named, report, site, stack};
use tracer_test_traces::golden;
use tracer_test_traces::trace::{Ask, MIB, SECOND, Trace};

/// Two old ones at the start, one of which goes at 25 s. New ones each second from 20 s to 39 s, of which
/// every second one goes after 5 s.
fn trace(window: Window) -> Trace {
    let mut trace = Trace::within("each", window);
    found(&mut trace, 7, 1, named("server"));
    let (old, new) = (stack(&mut trace, 1, "load"), stack(&mut trace, 2, "serve"));
    let ask = |stack| Ask::space(stack, MIB);
    let first = trace.reserve(ME, 1, ask(old));
    trace.reserve(ME, 1, ask(old));
    let mut going = vec![(25, first)];
    for second in 20..40 {
        trace.now = second * SECOND;
        let id = trace.reserve(ME, 1, ask(new));
        if second % 2 == 0 {
            going.push((second + 5, id));
        }
        for (_, id) in going.iter().filter(|(when, _)| *when == second) {
            trace.release(ME, 1, *id);
        }
    }
    trace
}

#[test]
fn what_came_and_went_inside_is_told_from_what_was_there() {
    let window = Window {
        from_ns: 20 * SECOND,
        to_ns: 40 * SECOND,
    };
    let report = report(&trace(window));
    assert_eq!(report.window, Some(window));
    let process = &report.processes[0];
    let sets = |function: &str| site(process, function).window.unwrap();
    assert_eq!(
        sets("load"),
        Sets {
            outside_inside_bytes: MIB,
            outside_outside_bytes: MIB,
            ..Sets::default()
        }
    );
    assert_eq!(
        sets("serve"),
        Sets {
            inside_outside_bytes: 12 * MIB,
            inside_inside_bytes: 8 * MIB,
            ..Sets::default()
        }
    );
    let mut text = Vec::new();
    tracer_report::text::write(&report, &Style::default(), &mut text).unwrap();
    golden::check("window-100.txt", &String::from_utf8(text).unwrap());
}

#[test]
fn without_a_window_nothing_is_said_of_one() {
    let report = report(&trace(Window::default()));
    assert_eq!(report.window, None);
    assert!(
        report.processes[0]
            .sites
            .iter()
            .all(|site| site.window.is_none())
    );
}

#[test]
fn what_comes_after_the_window_is_not_heard_of() {
    let window = Window {
        from_ns: 0,
        to_ns: 30 * SECOND,
    };
    let report = report(&trace(window));
    assert_eq!(report.duration_ns, 30 * SECOND);
    assert_eq!(site(&report.processes[0], "serve").calls, 11);
}
