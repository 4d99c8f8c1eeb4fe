//! Expressions, files, and what is judged by what is known.

use super::expression::{Chosen, Limit, Subject};
use super::figures::{FIGURES, LIVE, PEAK, RESERVED, TOUCHED};
use super::metrics::METRICS;
use super::model::{Judged, State};
use super::{check, file, help, parse, unknown_patterns};
use crate::constructed::{MIB, frame, of_kind, process, report, site};
use crate::model::summary::{Level, Refused, Report, Site, Trend};
use tracer_ledger::event::{FaultMode, Frame};

#[test]
fn every_form_of_a_budget_is_understood() {
    let total = |name| Subject::Total(METRICS.iter().find(|one| one.name == name).unwrap());
    let gib = 1 << 30;
    for (text, subject, growth, inclusive, limit) in [
        (
            "virtual>1GiB",
            total("virtual"),
            false,
            false,
            Limit::Amount(gib),
        ),
        (
            " never-released >=  100 MiB ",
            total("never-released"),
            false,
            true,
            Limit::Amount(100 * MIB),
        ),
        (
            "maps > 65,530",
            total("maps"),
            false,
            false,
            Limit::Amount(65_530),
        ),
        (
            "unexplained > 4096",
            total("unexplained"),
            false,
            false,
            Limit::Amount(4096),
        ),
        (
            "level >= watch",
            Subject::Level,
            false,
            true,
            Limit::Level(Level::Watch),
        ),
        (
            "pattern(v8-code-range).reserved > 1.5GiB",
            Subject::Part(Chosen::Pattern("v8-code-range".into()), &RESERVED),
            false,
            false,
            Limit::Amount(gib + gib / 2),
        ),
        (
            r#"site("a\"b)").live > 3"#,
            Subject::Part(Chosen::Site("a\"b)".into()), &LIVE),
            false,
            false,
            Limit::Amount(3),
        ),
        (
            "process( node ).peak > 1GiB",
            Subject::Part(Chosen::Process("node".into()), &PEAK),
            false,
            false,
            Limit::Amount(gib),
        ),
        (
            "growth(virtual) > 5%",
            total("virtual"),
            true,
            false,
            Limit::Percent(5.0),
        ),
        (
            "growth( pattern(x).touched ) > 64MiB",
            Subject::Part(Chosen::Pattern("x".into()), &TOUCHED),
            true,
            false,
            Limit::Amount(64 * MIB),
        ),
        (
            "virtual > 7.5 % over baseline",
            total("virtual"),
            true,
            false,
            Limit::Percent(7.5),
        ),
    ] {
        let budget = parse(text).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(budget.subject, subject, "{text}");
        assert_eq!(
            (budget.growth, budget.inclusive),
            (growth, inclusive),
            "{text}"
        );
        assert_eq!(budget.limit, limit, "{text}");
        assert_eq!(budget.expression, text.trim());
    }
}

#[test]
fn what_is_no_budget_is_refused_in_one_line_that_helps() {
    for (text, help) in [
        ("", "never-released > 100MiB"),
        ("vitual > 3", "`virtual`"),
        ("virtual", "ends before its limit"),
        ("virtual >", "ends before its limit"),
        ("virtual < 3", "> or >="),
        ("virtual == 3", "> or >="),
        ("virtual > 3 apples", "no size"),
        ("virtual > -3", "no size"),
        ("virtual > 5%", "growth(virtual) > 5%"),
        ("growth(virtual) > NaN%", "no share"),
        ("growth(virtual) > -1%", "no share"),
        ("growth(virtual > 5%", "`)` is to stand"),
        ("growth > 5%", "`(` is to stand"),
        ("calls > 5MiB", "no number"),
        ("level > bad", "`watch`"),
        ("growth(level) > leak", "level"),
        ("pattern(x) > 3", ".reserved"),
        ("pattern(x).size > 3", "`reserved`"),
        ("pattern().live > 3", "names none"),
        ("site(\"x).live > 3", "never closed"),
        ("\u{1b}[2J\n > 3", "\\u{1b}"),
    ] {
        let wrong = parse(text).unwrap_err();
        assert!(wrong.contains(help), "{text}: {wrong}");
        assert!(!wrong.contains(char::is_control), "{wrong:?}");
    }
}

#[test]
fn a_file_of_budgets_is_strict_and_names_the_line() {
    let text =
        "baseline = \"main.json\"\n\n[[budget]]\nfail-on = \"virtual > 1GiB\"\nreason = \"r\"\n";
    let read = file::read(text).unwrap();
    assert_eq!(read.baseline.as_deref(), Some("main.json"));
    assert_eq!(read.budgets[0].reason.as_deref(), Some("r"));
    for (wrong, line, what) in [
        (
            "[[budget]]\nfail-on = \"virtual > 1GiB\"\nreson = \"r\"",
            3,
            "reson",
        ),
        ("\n[[budgets]]\nfail-on = \"virtual > 1\"", 2, "budgets"),
        ("[[budget]]\n\nfail-on = \"virtual > x\"", 3, "no size"),
        ("[[budget]]\nreason = \"r\"", 1, "fail-on"),
        ("[[budget]]\nfail-on = 3", 2, "string"),
        ("[[budget]\n", 1, ""),
    ] {
        let mistake = file::read(wrong).unwrap_err();
        assert_eq!(mistake.line, line, "{wrong}: {mistake}");
        assert!(mistake.what.contains(what), "{mistake}");
        assert!(!mistake.what.contains('\n'));
    }
    assert_eq!(file::read("").unwrap(), file::Budgets::default());
}

/// Sites 1 (arena, 8 MiB), 2 (nameless kind, 4 MiB), 3 (there before, 2 MiB) in `app`; 4 (1 MiB) in `child`.
fn sample() -> Report {
    let of = |id, name: &str, mib| site(id, vec![frame(name, 1)], mib * MIB);
    let placed = Site {
        frames: vec![Frame {
            file: Some("src/config.rs".into()),
            line: Some(12),
            ..frame("parse_config@app", 1)
        }],
        released_bytes: 9 * MIB,
        peak_bytes: 6 * MIB,
        refused: 3,
        ..of(2, "x@y", 4)
    };
    let before = Site {
        pre_existing: true,
        calls: 0,
        ..site(3, Vec::new(), 2 * MIB)
    };
    let sites = vec![of_kind("arena", of(1, "malloc@libc", 8)), placed, before];
    let mut app = process("app", (1, 0), sites);
    app.virtual_bytes.start = 2 * MIB;
    // Two of them without a stack.
    app.refused = [(3, Some(2)), (2, None)]
        .map(|(count, site)| Refused {
            call: "mmap".into(),
            requested_bytes: MIB,
            errno: "ENOMEM".into(),
            count,
            site,
            ..Refused::default()
        })
        .to_vec();
    report(vec![
        app,
        process("child", (2, 1), vec![of(4, "f@child", 1)]),
    ])
}

fn judged(text: &str, report: &Report, baseline: Option<&Report>) -> Judged {
    let budget = parse(text).unwrap();
    let mut outcome = check(&[budget], report, baseline, Vec::new());
    assert_eq!(outcome.state, outcome.budgets[0].state);
    outcome.budgets.remove(0)
}

#[test]
fn every_metric_is_the_sum_that_it_says() {
    let report = sample();
    let sums = [
        ("virtual", 15 * MIB),
        ("resident", 15 * MIB),
        ("touched", 15 * MIB),
        ("charged", 15 * MIB),
        ("reserved", 15 * MIB),
        ("never-released", 13 * MIB),
        ("unexplained", 5 * MIB),
        ("grown", 13 * MIB),
        ("difference", 0),
        ("maps", 20),
        ("processes", 2),
        ("calls", 3),
        ("pattern(arena).reserved", 8 * MIB),
        ("pattern(other).reserved", 0),
        ("site(\"parse_config\").touched", 4 * MIB),
        ("site(\"config.rs:12\").released", 9 * MIB),
        ("site(\"config.rs:12\").peak", 6 * MIB),
        ("site(\"f\").live", 2),
        ("process(app).reserved", 14 * MIB),
        ("process(child).charged", MIB),
        ("site(\"f\").accessible", 5 * MIB),
        ("site(\"config.rs:12\").resident", 4 * MIB),
        ("pattern(arena).calls", 1),
        ("refused", 5),
        ("process(app).refused", 5),
        ("process(child).refused", 0),
        ("site(\"config.rs:12\").refused", 3),
    ];
    for metric in &METRICS {
        let is_there = sums.iter().any(|(written, _)| *written == metric.name);
        assert!(is_there, "{} has no sum here", metric.name);
    }
    for figure in FIGURES {
        let ending = format!(".{}", figure.name);
        let is_there = sums.iter().any(|(written, _)| written.ends_with(&ending));
        assert!(is_there, "{} has no sum here", figure.name);
    }
    for (metric, amount) in sums {
        for (op, limit, state) in [
            (">", amount, State::Within),
            (">=", amount, State::Over),
            (">=", amount + 1, State::Within),
        ] {
            let judged = judged(&format!("{metric} {op} {limit}"), &report, None);
            assert_eq!(judged.least, Some(amount as i64), "{metric}");
            assert_eq!(judged.most, judged.least, "{metric}");
            assert_eq!(judged.state, state, "{metric} {op} {limit}");
        }
    }
}

#[test]
fn the_help_has_every_metric_and_every_figure_once() {
    let help = help::metrics();
    let written = |name: &str| help.split_whitespace().filter(|word| *word == name).count();
    for metric in &METRICS {
        let figure = FIGURES.iter().any(|figure| figure.name == metric.name);
        assert!(
            written(metric.name) > usize::from(figure),
            "{}",
            metric.name
        );
    }
    let (_, figures) = help.split_once("\nFIGURE: ").unwrap();
    let names: Vec<&str> = FIGURES.iter().map(|figure| figure.name).collect();
    assert_eq!(figures.split(' ').collect::<Vec<_>>(), names);
}

#[test]
fn a_broken_budget_names_its_sites_the_largest_first() {
    let judged = judged("never-released > 1MiB", &sample(), None);
    let sites: Vec<_> = judged.sites.iter().map(|part| part.site).collect();
    assert_eq!(sites, [1, 2, 4]);
    assert_eq!(judged.sites[0].amount, 8 * MIB as i64);
    assert_eq!(judged.over, Some(12 * MIB as i64));
}

#[test]
fn what_is_not_known_never_passes() {
    let state = |text: &str, change: fn(&mut Report)| {
        let mut report = sample();
        change(&mut report);
        let judged = judged(text, &report, None);
        assert_eq!(judged.note.is_some(), judged.state == State::Unmeasured);
        judged.state
    };
    let off = |report: &mut Report| {
        report.faults = Some(FaultMode::Off);
        for site in &mut report.processes[0].sites {
            site.touched_bytes = None;
        }
    };
    assert_eq!(state("touched > 1TiB", off), State::Unmeasured);
    assert_eq!(state("charged > 1TiB", off), State::Within);
    // What the other process has touched is known, and too much already.
    assert_eq!(state("touched > 512KiB", off), State::Over);
    let faults = |report: &mut Report| report.losses.faults = 1;
    assert_eq!(state("touched > 1TiB", faults), State::Unmeasured);
    assert_eq!(state("touched > 1MiB", faults), State::Over);
    assert_eq!(state("virtual > 1TiB", faults), State::Within);
    let events = |report: &mut Report| report.losses.events = 1;
    for metric in ["virtual", "calls", "level", "site(\"f\").peak"] {
        let limit = if metric == "level" {
            "watch"
        } else {
            "1000000000000"
        };
        let text = format!("{metric} > {limit}");
        assert_eq!(state(&text, events), State::Unmeasured, "{text}");
    }
    assert_eq!(state("virtual > 1MiB", events), State::Over);
    // A lost release makes a peak too high.
    assert_eq!(state("site(\"f\").peak > 1", events), State::Unmeasured);
    let stacks = |report: &mut Report| report.losses.stacks = 1;
    assert_eq!(state("pattern(arena).live > 9", stacks), State::Unmeasured);
    assert_eq!(state("unexplained > 1MiB", stacks), State::Unmeasured);
    let unlooked = |report: &mut Report| report.processes[1].samples = 0;
    assert_eq!(state("resident > 14MiB", unlooked), State::Unmeasured);
    // It had no more in memory than it had mapped.
    assert_eq!(state("resident > 15MiB", unlooked), State::Within);
    let nobody = |report: &mut Report| report.processes.clear();
    assert_eq!(state("virtual > 1TiB", nobody), State::Unmeasured);
    assert_eq!(state("level > watch", nobody), State::Unmeasured);
    let nothing = |_: &mut Report| {};
    assert_eq!(state("process(ap).live > 9", nothing), State::Unmeasured);
    let forgotten = |report: &mut Report| report.processes[1].sites.clear();
    assert_eq!(state("calls > 100", forgotten), State::Unmeasured);
}

#[test]
fn growth_is_above_the_baseline_and_names_what_has_grown() {
    let base = sample();
    let mut now = sample();
    now.processes[0].sites[1].reserved_bytes += 3 * MIB;
    now.processes[0].virtual_bytes.end += 3 * MIB;
    let of = |text: &str| judged(text, &now, Some(&base));
    for (text, state) in [
        ("growth(virtual) > 19%", State::Over),
        ("growth(virtual) > 21%", State::Within),
        ("virtual >= 3MiB over baseline", State::Over),
        ("growth(virtual) > 3MiB", State::Within),
        ("growth(pattern(arena).reserved) > 0", State::Within),
    ] {
        assert_eq!(of(text).state, state, "{text}");
    }
    let judged = of("growth(never-released) > 1MiB");
    assert_eq!(judged.least, Some(3 * MIB as i64));
    assert_eq!(judged.baseline, Some(13 * MIB));
    let sites: Vec<_> = judged
        .sites
        .iter()
        .map(|part| (part.site, part.amount))
        .collect();
    assert_eq!(sites, [(2, 3 * MIB as i64)]);
    assert_eq!(
        check(
            &[parse("growth(virtual) > 0").unwrap()],
            &now,
            None,
            Vec::new()
        )
        .state,
        State::Unmeasured
    );
}

#[test]
fn growth_from_what_is_only_partly_known_is_not_judged() {
    let mut base = sample();
    base.losses.faults = 1;
    let judged = judged("growth(touched) > 1TiB", &sample(), Some(&base));
    assert_eq!(
        judged.state,
        State::Within,
        "it cannot have grown by more than all there is"
    );
    let judged = check(
        &[parse("growth(touched) > 0").unwrap()],
        &sample(),
        Some(&base),
        Vec::new(),
    );
    assert_eq!(judged.state, State::Within);
    let mut more = sample();
    more.processes[0].sites[0].touched_bytes = Some(9 * MIB);
    let budget = parse("growth(touched) > 0").unwrap();
    assert_eq!(
        check(&[budget], &more, Some(&base), Vec::new()).state,
        State::Unmeasured
    );
}

#[test]
fn the_level_is_the_worst_and_its_sites_are_those_that_grow() {
    let mut report = sample();
    report.processes[1].verdict.level = Level::Unknown;
    assert_eq!(judged("level >= watch", &report, None).state, State::Within);
    assert_eq!(judged("level >= unknown", &report, None).state, State::Over);
    assert_eq!(judged("level > benign", &report, None).state, State::Over);
    report.processes[0].verdict.level = Level::Leak;
    report.processes[0].sites[1].trend = Trend::Growing;
    let judged = judged("level >= watch", &report, None);
    assert_eq!(
        (judged.state, judged.level),
        (State::Over, Some(Level::Leak))
    );
    assert_eq!(judged.sites.len(), 1);
    assert_eq!(judged.sites[0].site, 2);
}

#[test]
fn what_was_in_the_way_of_the_measurement_comes_before_what_is_broken() {
    let budget = parse("virtual > 1").unwrap();
    let outcome = check(&[budget], &sample(), None, vec!["cut off".into()]);
    assert_eq!(outcome.state, State::Unmeasured);
    assert_eq!(outcome.budgets[0].state, State::Over);
}

#[test]
fn a_kind_that_nobody_knows_is_refused_with_those_near_to_it() {
    let budgets = [parse("pattern(aren).live > 1").unwrap()];
    let report = sample();
    let said = unknown_patterns(&budgets, ["v8-heap"].into_iter(), &[&report]).unwrap();
    assert!(
        said.contains("`arena`") && !said.contains("v8-heap"),
        "{said}"
    );
    let budgets = [parse("pattern(arena).live > 1").unwrap()];
    assert_eq!(unknown_patterns(&budgets, [].into_iter(), &[&report]), None);
}

#[test]
fn what_was_not_all_measured_passes_no_budget_and_can_still_be_over_one() {
    let mut report = sample();
    for (budget, whole) in [
        ("virtual > 1TiB", State::Within),
        ("maps > 65530", State::Within),
        ("processes > 9", State::Within),
        ("difference > 0", State::Within),
        ("level >= leak", State::Within),
        ("virtual > 1KiB", State::Over),
    ] {
        assert_eq!(judged(budget, &report, None).state, whole, "{budget}");
        let process = &mut report.processes[0];
        (process.measured, process.why) = (false, Some("it was dark".into()));
        let (comm, pid) = (process.comm.clone(), process.pid);
        let judged = judged(budget, &report, None);
        if whole == State::Over {
            assert_eq!(judged.state, State::Over, "{budget}");
        } else {
            assert_eq!(judged.state, State::Unmeasured, "{budget}");
            let note = format!("not all of {comm} (pid {pid}) was measured: it was dark");
            assert_eq!(judged.note, Some(note), "{budget}");
        }
        let process = &mut report.processes[0];
        (process.measured, process.why) = (true, None);
    }
}

#[test]
fn a_budget_on_one_process_is_not_touched_by_what_was_not_measured_of_another() {
    let mut report = sample();
    let mut other = process("other", (99, 1), Vec::new());
    (other.measured, other.why) = (false, Some("it was dark".into()));
    let first = report.processes[0].comm.clone();
    report.processes.push(other);
    let of = |comm: &str| format!("process({comm}).reserved > 1TiB");
    assert_eq!(judged(&of(&first), &report, None).state, State::Within);
    assert_eq!(judged(&of("other"), &report, None).state, State::Unmeasured);
    assert_eq!(
        judged("virtual > 1TiB", &report, Some(&report)).state,
        State::Unmeasured
    );
}
