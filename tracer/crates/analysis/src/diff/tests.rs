//! The matcher: what stays the same across runs, what does not, and that no side is preferred.

use proptest::prelude::*;

use super::diff;
use super::model::{Diff, Matched};
use crate::constructed::{MIB, frame, of_kind, process, report, site};
use crate::model::summary::{Kind, RefusalCause, Refused, Report, Site};
use tracer_ledger::event::{Frame, FrameKind};

fn one(sites: Vec<Site>) -> Report {
    report(vec![process("server", (1, 0), sites)])
}

/// How each row was matched, and by how many bytes it has changed.
fn rows(diff: &Diff) -> Vec<(Matched, i64)> {
    let sites = diff.processes.iter().flat_map(|one| &one.sites);
    sites
        .map(|site| (site.matched, site.figures.reserved_bytes.change.unwrap()))
        .collect()
}

fn stack(names: &[&str]) -> Vec<Frame> {
    names.iter().map(|name| frame(name, 7)).collect()
}

#[test]
fn addresses_and_build_paths_and_inlining_tell_no_sites_apart() {
    let old = vec![
        frame("mmap@/lib/libc.so.6", 0x10),
        frame("grow::h0123456789abcdef@/build/a/server", 0x20),
        Frame {
            file: Some("/build/a/src/main.rs".into()),
            line: Some(3),
            ..frame("main@/build/a/server", 0x30)
        },
        // Code made at run time, without a name: its offset is an address.
        Frame {
            offset: 0x7f00_0000_1000,
            kind: FrameKind::Jit,
            ..Frame::default()
        },
    ];
    let new = vec![
        frame("mmap@/usr/lib/libc.so.6", 0x90),
        frame("grow.constprop.0@/other/server", 0xa0),
        Frame {
            inlined: true,
            ..frame("main@/other/server (deleted)", 0xb0)
        },
        Frame {
            offset: 0x7fff_0000_2000,
            kind: FrameKind::Jit,
            ..Frame::default()
        },
    ];
    let diff = diff(
        &one(vec![site(1, old, MIB)]),
        &one(vec![site(9, new, 3 * MIB)]),
    );
    assert_eq!(rows(&diff), [(Matched::Exact, 2 * MIB as i64)]);
}

#[test]
fn a_script_is_the_same_interpreted_or_compiled_and_a_nameless_one_is_told_by_its_line() {
    let script = |function: &str, line, kind| {
        vec![Frame {
            function: Some(function.into()),
            file: Some("/srv/app.js".into()),
            line: Some(line),
            kind,
            ..Frame::default()
        }]
    };
    let old = vec![
        site(1, script("load", 5, FrameKind::Interpreted), MIB),
        site(2, script("(anonymous)", 9, FrameKind::Jit), 9 * MIB),
    ];
    let new = vec![
        site(1, script("load", 6, FrameKind::Jit), MIB),
        site(2, script("(anonymous)", 10, FrameKind::Jit), MIB),
    ];
    let matched: Vec<Matched> = rows(&diff(&one(old), &one(new)))
        .into_iter()
        .map(|(matched, _)| matched)
        .collect();
    assert_eq!(
        matched,
        [Matched::OnlyOld, Matched::OnlyNew, Matched::Exact]
    );
}

#[test]
fn sites_that_only_addresses_tell_apart_are_one_row() {
    let twice = || {
        let of = |id, offset| site(id, vec![frame("grow@/a/server", offset)], MIB);
        vec![of(1, 1), of(2, 2)]
    };
    let diff = diff(&one(twice()), &one(twice()));
    assert_eq!(rows(&diff), [(Matched::Exact, 0)]);
    assert_eq!(diff.processes[0].sites[0].old_sites, [1, 2]);
}

#[test]
fn another_build_of_a_library_without_names_is_matched_by_the_names_around_it() {
    let with = |offset| {
        vec![
            frame("mmap@libc.so.6", 1),
            frame("/opt/libstripped.so", offset),
            frame("/opt/libstripped.so", offset + 8),
            frame("load@/srv/server", 2),
        ]
    };
    let diff = diff(
        &one(vec![site(1, with(0x100), MIB)]),
        &one(vec![site(1, with(0x400), 5 * MIB)]),
    );
    assert_eq!(rows(&diff), [(Matched::Similar, 4 * MIB as i64)]);
    assert_eq!(diff.processes[0].sites[0].similarity, Some(0.5));
}

#[test]
fn a_renamed_function_is_matched_by_what_is_left_and_only_to_the_same_kind_and_size() {
    let of = |name: &str| stack(&["mmap@libc.so.6", name, "work@server", "main@server"]);
    let old = || one(vec![site(1, of("old_name@server"), 8 * MIB)]);
    let to = |site: Site| rows(&diff(&old(), &one(vec![site])));
    let renamed = site(1, of("new_name@server"), 9 * MIB);
    assert_eq!(to(renamed.clone()), [(Matched::Similar, MIB as i64)]);
    assert_eq!(to(of_kind("arena", renamed)).len(), 2);
    assert_eq!(to(site(1, of("new_name@server"), 80 * MIB)).len(), 2);
    let other = stack(&["mmap@libc.so.6", "a@server", "b@server", "main@server"]);
    assert_eq!(to(site(1, other, 8 * MIB)).len(), 2);
}

#[test]
fn of_several_renamed_ones_the_most_similar_are_taken() {
    let of = |names: &[&str]| stack(names);
    let old = one(vec![
        site(1, of(&["mmap@c", "x@s", "b@s", "c@s", "main@s"]), MIB),
        site(2, of(&["mmap@c", "y@s", "b@s", "d@s", "main@s"]), MIB),
    ]);
    let new = one(vec![
        site(1, of(&["mmap@c", "z@s", "b@s", "d@s", "main@s"]), MIB + 1),
        site(2, of(&["mmap@c", "w@s", "b@s", "c@s", "main@s"]), MIB + 2),
    ]);
    let diff = diff(&old, &new);
    let mut found: Vec<_> = diff.processes[0]
        .sites
        .iter()
        .map(|row| (row.old_sites.clone(), row.new_sites.clone()))
        .collect();
    found.sort();
    assert_eq!(found, [(vec![1], vec![2]), (vec![2], vec![1])]);
}

#[test]
fn processes_are_matched_by_name_and_place_and_never_by_pid() {
    let of = |comm: &str, ids, bytes| process(comm, ids, vec![site(1, Vec::new(), bytes)]);
    let old = report(vec![
        of("launcher", (10, 1), MIB),
        of("worker", (11, 10), 2 * MIB),
        of("worker", (12, 10), 3 * MIB),
        of("gone", (13, 10), 4 * MIB),
    ]);
    let new = report(vec![
        of("launcher", (12, 1), MIB),
        of("worker", (10, 12), 2 * MIB),
        of("worker", (13, 12), 7 * MIB),
        of("came", (11, 12), 4 * MIB),
    ]);
    let diff = diff(&old, &new);
    let mut found: Vec<_> = diff
        .processes
        .iter()
        .map(|one| (one.old_pid, one.new_pid, one.matched))
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            (None, Some(11), Matched::OnlyNew),
            (Some(10), Some(12), Matched::Exact),
            (Some(11), Some(10), Matched::Exact),
            (Some(12), Some(13), Matched::Exact),
            (Some(13), None, Matched::OnlyOld),
        ]
    );
}

#[test]
fn the_one_program_of_either_trace_is_the_same_under_another_name() {
    let of = |comm: &str| report(vec![process(comm, (1, 0), Vec::new())]);
    let diff = diff(&of("server-1"), &of("server-2"));
    assert_eq!(diff.processes.len(), 1);
    assert_eq!(diff.processes[0].matched, Matched::Similar);
}

#[test]
fn what_is_unknown_on_one_side_has_no_change() {
    let known = site(1, stack(&["f@s"]), MIB);
    let unknown = Site {
        touched_bytes: None,
        ..known.clone()
    };
    let diff = diff(&one(vec![known]), &one(vec![unknown]));
    let touched = diff.processes[0].sites[0].figures.touched_bytes;
    assert_eq!(
        (touched.old, touched.new, touched.change),
        (Some(MIB), None, None)
    );
    assert_eq!(diff.kinds[0].figures.touched_bytes.change, None);
}

#[test]
fn what_a_knob_was_foretold_to_do_stands_beside_what_has_come() {
    let with = |gib: u64, left: u64| {
        let mut report = one(vec![site(1, stack(&["f@s"]), gib << 30)]);
        report.processes[0].verdict.kinds = vec![Kind {
            id: "cage".into(),
            name: "cage".into(),
            live: 2,
            reserved_bytes: left << 30,
            knob: Some("A=1".into()),
            predicted_virtual_bytes: Some(9 << 30),
            ..Kind::default()
        }];
        report
    };
    let foretold = |new: Report| diff(&with(21, 20), &new).predictions;
    let found = foretold(with(10, 8));
    assert_eq!(found[0].predicted_bytes, 9 << 30);
    assert_eq!(found[0].new_bytes, 10 << 30);
    assert!((found[0].deviation_percent - 100.0 / 9.0).abs() < 1e-9);
    assert_eq!(foretold(with(21, 20)), []);
}

#[test]
fn hostile_figures_do_not_overflow() {
    let huge = || {
        let mut report = one(vec![site(1, Vec::new(), 1), site(2, Vec::new(), 1)]);
        for site in &mut report.processes[0].sites {
            site.reserved_bytes = u64::MAX;
            site.released_bytes = u64::MAX;
            site.calls = u64::MAX;
        }
        report.processes[0].virtual_bytes.end = u64::MAX;
        report
    };
    let diff = diff(&huge(), &report(Vec::new()));
    assert_eq!(diff.virtual_bytes.change, Some(-i64::MAX));
}

prop_compose! {
    fn any_site()(
        names in prop::collection::vec(0usize..6, 0..5),
        named in prop::collection::vec(any::<bool>(), 5),
        bytes in 0u64..64,
        kind in prop::option::of(0usize..2),
        touched in any::<bool>(),
        pre_existing in prop::bool::weighted(0.2),
    ) -> Site {
        let frames = names.iter().zip(&named).map(|(name, named)| {
            if *named {
                frame(&format!("f{name}@/lib/m{}", name % 2), 3)
            } else {
                frame("/lib/bare", *name as u64)
            }
        });
        let mut site = site(0, frames.collect(), bytes * MIB);
        site.pre_existing = pre_existing;
        if !touched {
            site.touched_bytes = None;
        }
        match kind {
            Some(kind) => of_kind(&format!("k{kind}"), site),
            None => site,
        }
    }
}

prop_compose! {
    fn any_report()(
        processes in prop::collection::vec(
            (0usize..3, 1u32..6, 0u32..6, prop::collection::vec(any_site(), 0..12)),
            0..5,
        ),
    ) -> Report {
        let mut next = 1;
        let processes = processes.into_iter().map(|(comm, pid, ppid, mut sites)| {
            for site in &mut sites {
                site.id = next;
                next += 1;
            }
            process(&format!("p{comm}"), (pid, ppid), sites)
        });
        report(processes.collect())
    }
}

/// What is to be the other way round if the sides are exchanged: sites, processes, changes.
type Content = Vec<(Vec<u32>, Vec<u32>, Vec<Option<i128>>)>;

fn content(diff: &Diff, exchanged: bool) -> Content {
    let mut content: Content = diff
        .processes
        .iter()
        .flat_map(|process| {
            process.sites.iter().map(move |row| {
                let changes = row.figures.all().map(|change| {
                    let by = change.change.map(i128::from);
                    by.map(|by| if exchanged { -by } else { by })
                });
                let (old, new) = (row.old_sites.clone(), row.new_sites.clone());
                let (old, new) = if exchanged { (new, old) } else { (old, new) };
                (old, new, changes.to_vec())
            })
        })
        .collect();
    content.sort();
    content
}

proptest! {
    #[test]
    fn a_trace_differs_in_nothing_from_itself(report in any_report()) {
        let diff = diff(&report, &report);
        for process in &diff.processes {
            prop_assert_eq!(process.matched, Matched::Exact);
            for row in &process.sites {
                prop_assert_eq!(row.matched, Matched::Exact);
                prop_assert!(!row.figures.has_changed());
            }
        }
        prop_assert_eq!(diff.virtual_bytes.change, Some(0));
    }

    #[test]
    fn the_other_way_round_every_change_is_the_opposite(
        one in any_report(),
        other in any_report(),
    ) {
        let there = diff(&one, &other);
        let back = diff(&other, &one);
        prop_assert_eq!(content(&there, false), content(&back, true));
    }

    #[test]
    fn every_site_of_both_is_in_one_row(one in any_report(), other in any_report()) {
        let diff = diff(&one, &other);
        let rows = || diff.processes.iter().flat_map(|process| &process.sites);
        for (report, side) in [(&one, 0), (&other, 1)] {
            let mut found: Vec<u32> = rows()
                .flat_map(|row| if side == 0 { &row.old_sites } else { &row.new_sites })
                .copied()
                .collect();
            found.sort_unstable();
            let sites = report.processes.iter().flat_map(|process| &process.sites);
            let all: Vec<u32> = sites.map(|site| site.id).collect();
            prop_assert_eq!(found, all);
        }
    }
}

#[test]
fn what_is_refused_now_and_was_not_comes_first() {
    let refused = |by: &str, count| {
        let mut report = one(vec![site(1, stack(&["f"]), MIB)]);
        report.processes[0].sites[0].refused = count;
        report.processes[0].refused = vec![Refused {
            call: "mmap".into(),
            requested_bytes: MIB,
            errno: "ENOMEM".into(),
            cause: RefusalCause::RlimitAs,
            by: Some(by.into()),
            count,
            ..Refused::default()
        }];
        report
    };
    let same = diff(&refused("f", 1), &refused("f", 3));
    assert_eq!((same.refused.old, same.refused.new), (Some(1), Some(3)));
    assert_eq!(same.newly_refused, None);
    assert_eq!(same.processes[0].refused.change, Some(2));
    assert_eq!(same.processes[0].sites[0].figures.refused.change, Some(2));
    assert!(same.text.contains("Refused calls 1 → 3."), "{}", same.text);
    let never = diff(&one(Vec::new()), &refused("f", 1));
    let begin = "Refused now: mmap of 1 MiB failed (ENOMEM): RLIMIT_AS is reached, by f. Virtual";
    assert!(never.text.starts_with(begin), "{}", never.text);
    assert!(
        diff(&refused("f", 1), &refused("g", 1))
            .newly_refused
            .is_some()
    );
    let none = diff(&one(Vec::new()), &one(Vec::new()));
    assert!(!none.text.contains("efused"), "{}", none.text);
}
