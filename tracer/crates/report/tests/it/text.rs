//! Golden files of the text report.

use tracer_analysis::harm::{Position, harms};
use tracer_analysis::summary::{Report, Site, Trend};
use tracer_ledger::event::{FaultMode, StackQuality};
use tracer_report::selection::{By, Selection, Sort};
use tracer_report::text::{Style, write};

use tracer_test_traces::{case, refused};

use tracer_test_traces::golden;

fn text(report: &Report, style: &Style) -> String {
    let mut out = Vec::new();
    write(report, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn at_width(width: usize) -> Style {
    Style {
        width,
        ..Style::default()
    }
}

#[test]
fn the_case_with_a_leak_reads_well_at_every_width() {
    let report = case::report(true);
    for width in [60, 80, 100, 160] {
        let text = text(&report, &at_width(width));
        for line in text.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
        golden::check(&format!("leak-{width}.txt"), &text);
    }
}

#[test]
fn the_case_itself_is_benign() {
    golden::check("case-100.txt", &text(&case::report(false), &at_width(100)));
}

#[test]
fn colours_mark_and_do_not_move_anything() {
    let report = case::report(true);
    let style = Style {
        color: true,
        ..at_width(100)
    };
    let colored = text(&report, &style);
    golden::check("leak-100-color.txt", &colored);
    let mut plain = String::new();
    let mut rest = colored.as_str();
    while let Some(at) = rest.find("\x1b[") {
        plain.push_str(&rest[..at]);
        rest = &rest[at + rest[at..].find('m').unwrap() + 1..];
    }
    plain.push_str(rest);
    assert_eq!(plain, text(&report, &at_width(100)));
}

#[test]
fn everything_by_pattern_by_thread_and_by_module() {
    let report = case::report(true);
    let style = |selection| Style {
        selection,
        ..at_width(100)
    };
    let all = Selection {
        all: true,
        sort: Sort::Calls,
        ..Selection::default()
    };
    golden::check("leak-all-by-calls.txt", &text(&report, &style(all)));
    for (by, name) in [
        (By::Pattern, "pattern"),
        (By::Thread, "thread"),
        (By::Module, "module"),
    ] {
        let selection = Selection {
            by,
            ..Selection::default()
        };
        let text = text(&report, &style(selection));
        golden::check(&format!("leak-by-{name}.txt"), &text);
    }
}

#[test]
fn a_hostile_target_cannot_talk_to_the_terminal() {
    let mut report = case::report(true);
    let evil = "\x1b]0;owned\x07\r\n\u{9b}31m\u{202e}";
    for process in &mut report.processes {
        process.comm.push_str(evil);
        process.exe.push_str(evil);
        process.runtime = Some(evil.into());
        process.cmdline.push(evil.into());
        process.verdict.text.push_str(evil);
        for site in &mut process.sites {
            site.name.push_str(evil);
            site.thread_names.push(evil.into());
            for frame in &mut site.frames {
                if let Some(name) = &mut frame.function {
                    name.insert_str(0, evil);
                }
                if let Some(name) = &mut frame.module {
                    name.push_str(evil);
                }
                if let Some(name) = &mut frame.file {
                    name.push_str(evil);
                }
            }
        }
    }
    for by in [By::Site, By::Thread, By::Module] {
        for all in [false, true] {
            let selection = Selection {
                by,
                all,
                ..Selection::default()
            };
            let style = Style {
                selection,
                ..at_width(60)
            };
            let text = text(&report, &style);
            assert!(text.contains("owned"));
            for letter in text.chars().filter(|letter| *letter != '\n') {
                assert!(!letter.is_control() && letter != '\u{202e}', "{letter:?}");
            }
            for line in text.lines() {
                assert!(line.chars().count() <= 60, "{line}");
            }
        }
    }
}

#[test]
fn what_is_not_known_is_said_and_not_made_up() {
    let mut report = case::report(false);
    report.faults = Some(FaultMode::Off);
    report.losses.events = 12;
    report.losses.faults = 3;
    report.losses.resyncs = 1;
    report.losses.since_ns = Some(3_200_000_000);
    let process = &mut report.processes[0];
    process.ledger.difference_bytes = -8192;
    process.samples = 0;
    process.limits.max_map_count = Some(800);
    let position = Position {
        virtual_bytes: process.virtual_bytes,
        mappings: process.limits.maps.map(|maps| (maps, maps)),
        ..Position::default()
    };
    process.harm = harms(&process.limits, &position);
    for site in &mut process.sites {
        site.touched_bytes = None;
        site.resident_bytes = None;
    }
    for point in &mut process.timeline {
        point.resident_bytes = 0;
    }
    golden::check("unknown-100.txt", &text(&report, &at_width(100)));
}

#[test]
fn small_sites_are_hidden_by_the_size_that_was_asked_for() {
    let report = case::report(true);
    let style = Style {
        selection: Selection {
            min_size_bytes: Some(1 << 30),
            ..Selection::default()
        },
        ..at_width(100)
    };
    let text = text(&report, &style);
    assert_eq!(text.matches("lazyllhttp").count(), 2);
    assert!(!text.contains("parseConfig"));
    assert!(text.contains("and 5 more sites, "), "{text}");
}

#[test]
fn a_process_beside_the_biggest_is_told_of_in_short() {
    let mut report = case::report(false);
    let mut other = report.processes[0].clone();
    other.comm = "launcher".into();
    other.virtual_bytes.peak -= 1 << 30;
    report.processes.push(other);
    let text = text(&report, &at_width(100));
    let (first, second) = text.split_once("launcher · pid").unwrap();
    assert!(first.contains("inflate") && first.contains("parseConfig"));
    assert!(!second.contains("inflate"));
    assert!(second.contains("released, all of it  236 MiB from 1 site\n"));
}

#[test]
fn many_children_of_one_name_are_told_of_together() {
    let mut report = case::report(false);
    let child = report.processes[1].clone();
    report.processes.extend([child.clone(), child]);
    let text = text(&report, &at_width(100));
    assert!(text.ends_with("\nand 3 small processes: 3 × sh (up to 2.1 MiB)\n"));
}

#[test]
fn of_a_pool_that_grows_the_growing_sites_are_named() {
    let mut report = case::report(true);
    let process = &mut report.processes[0];
    let named = |site: &&Site| site.trend == Trend::Growing;
    let mut growing = process.sites.iter().find(named).unwrap().clone();
    growing.frames[1].function = Some("_int_new_arena".into());
    let mut resting = growing.clone();
    resting.trend = Trend::Settled;
    process.sites.retain(|site| site.trend != Trend::Growing);
    for (key, mut site) in [
        ("aaaa1", resting.clone()),
        ("aaaa2", growing),
        ("aaaa3", resting),
    ] {
        site.key = key.into();
        process.sites.push(site);
    }
    let text = text(&report, &at_width(100));
    assert!(text.contains("glibc malloc arenas  3 sites"), "{text}");
    assert!(text.contains("still growing, last call at 59.8 s: site aaaa2\n"));
    assert!(text.contains("sites aaaa1, aaaa2, aaaa3\n"));
}

#[test]
fn a_stack_that_was_cut_where_the_program_begins_is_not_doubted() {
    let mut report = case::report(false);
    assert!(!text(&report, &at_width(100)).contains("stack cut"));
    let site = &mut report.processes[0].sites[0];
    site.stack = StackQuality::Cut;
    assert!(!text(&report, &at_width(100)).contains("stack cut"));
    let site = &mut report.processes[0].sites[0];
    site.frames.truncate(12);
    assert!(text(&report, &at_width(100)).contains("stack cut"));
}

#[test]
fn of_a_moment_no_share_of_a_core_is_told() {
    let mut report = case::report(false);
    assert!(text(&report, &at_width(100)).contains("of a core"));
    report.duration_ns = 900_000_000;
    assert!(!text(&report, &at_width(100)).contains("of a core"));
}

#[test]
fn a_trace_of_nothing_is_a_report_too() {
    let mut report = case::report(true);
    report.processes.clear();
    assert!(text(&report, &at_width(80)).starts_with("Nothing was traced.\n60.0 s"));
}

#[test]
fn a_program_that_was_refused_leads_before_the_shell_that_it_was() {
    let text = text(&refused::by_a_shell(), &at_width(100));
    golden::check("refused-100.txt", &text);
}
