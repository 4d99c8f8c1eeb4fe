//! `--fault-stacks`: which code touched memory first, by a sample of the page faults.

use std::process::Stdio;

use serde_json::Value;

use crate::{
    command::{example, folder, json, refused, text, tracer},
    compiled::{FRAME_POINTERS, NO_FRAME_POINTERS, compile},
    meanwhile::{stacks_with, wait_until},
};

/// Pages that each of four functions touches first (`tests/fixtures/touches.c`).
const PAGES: [u64; 4] = [4000, 2000, 1000, 1000];
const PAGE: u64 = 4096;
/// The innermost frames of each.
const STACKS: [&[&str]; 4] = [
    &["fill", "main"],
    &["scan", "main"],
    &["early", "by_early", "main"],
    &["read", "by_kernel", "main"],
];
const OPTIONS: [&[&str]; 2] = [&NO_FRAME_POINTERS, &FRAME_POINTERS];

/// The faults that were taken of each function, one in so many; and the text report.
fn sampled(one_in: u64, all_pages: [u64; 4], options: &[&str]) -> ([u64; 4], String) {
    let folder = folder();
    let program = compile(
        folder.path(),
        include_str!("../fixtures/touches.c"),
        options,
    );
    let path = |name: &str| folder.path().join(name);
    let mut tracing = tracer()
        // Every stack is sent whole until its rules are learned.
        .args(["--quiet", "run", "--ring-size", "256MiB"])
        .args(["--fault-stacks", &one_in.to_string()])
        .args(["--report".as_ref(), path("report.json").as_os_str()])
        .args(["-o".as_ref(), path("trace.vmt").as_os_str()])
        .arg("--")
        .arg(program)
        .args(all_pages.map(|pages| pages.to_string()))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // While it lives its code can be looked up; these touches are its last.
    let partial = path("trace.vmt.partial");
    wait_until(|| stacks_with(&partial, "by_kernel") > 0);
    drop(tracing.stdin.take());
    let output = tracing.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");

    // A recording tells the same.
    let again = tracer()
        .arg("report")
        .arg(path("trace.vmt"))
        .args(["--format", "json"])
        .output()
        .unwrap();
    let report = json(&path("report.json"));
    let replayed: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(report, replayed);

    for loss in ["events", "faults", "stacks"] {
        assert_eq!(report["losses"][loss], 0, "{loss}");
    }
    let sites = report["processes"][0]["sites"].as_array().unwrap();
    let all = all_pages.iter().sum::<u64>();
    let reserved = |site: &&Value| site["reserved_bytes"] == all * PAGE;
    let site = sites.iter().find(reserved).unwrap();
    assert_eq!(site["touched_bytes"], all * PAGE);
    let mut taken = [0; 4];
    for touch in site["touch_sites"].as_array().unwrap() {
        let names: Vec<_> = touch["frames"]
            .as_array()
            .unwrap()
            .iter()
            .map(|frame| frame["function"].as_str().unwrap_or_default())
            // glibc's name for itself.
            .map(|name| name.trim_start_matches('_').trim_start_matches("libc_"))
            .collect();
        let at = STACKS.iter().position(|stack| names.starts_with(stack));
        let at = at.unwrap_or_else(|| panic!("{names:?}"));
        assert_eq!(touch["stack"], "complete", "{names:?}");
        assert_eq!(touch["one_in"], one_in);
        let faults = touch["sampled_faults"].as_u64().unwrap();
        assert_eq!(touch["estimated_bytes"], faults * one_in * PAGE);
        assert_eq!(taken[at], 0, "{names:?} is there twice");
        taken[at] = faults;
    }
    (taken, text(&output.stderr))
}

#[test]
fn every_first_touch_has_its_stack_if_all_are_taken() {
    let few = PAGES.map(|pages| pages / 10);
    for options in OPTIONS {
        assert_eq!(sampled(1, few, options).0, few);
    }
}

#[test]
fn a_program_of_this_package_is_touched_by_functions_of_its_own() {
    let folder = folder();
    let path = folder.path().join("report.json");
    let output = tracer()
        .args(["--quiet", "run", "--fault-stacks", "3", "--report"])
        .arg(&path)
        .arg("--")
        .arg(example("startup_growth"))
        .args(["--seconds", "2"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let report = json(&path);
    let sites = report["processes"][0]["sites"].as_array().unwrap();
    let touches = sites
        .iter()
        .filter_map(|site| site["touch_sites"].as_array());
    let touches: Vec<_> = touches.flatten().collect();
    let own = touches.iter().filter(|touch| {
        let mut frames = touch["frames"].as_array().unwrap().iter();
        let name = |frame: &Value| frame["function"].as_str().unwrap_or_default().to_owned();
        touch["stack"] == "complete" && frames.any(|frame| name(frame).contains("startup_growth::"))
    });
    assert!(own.count() > 0, "{touches:?}");
}

#[test]
fn of_a_share_each_code_has_its_own_part() {
    let one_in = 10;
    let (taken, text) = sampled(one_in, PAGES, OPTIONS[0]);
    for (taken, pages) in taken.into_iter().zip(PAGES) {
        let (pages, chance) = (pages as f64, 1.0 / one_in as f64);
        // Five standard deviations of a binomial distribution: exceeded once in a million times.
        let bound = 5.0 * (pages * chance * (1.0 - chance)).sqrt();
        assert!(
            (taken as f64 - pages * chance).abs() <= bound,
            "{taken} of {pages}"
        );
    }
    assert!(text.contains("touched by fill"), "{text}");
    assert!(text.contains("by a sample of 1 in 10"), "{text}");
}

#[test]
fn it_is_refused_where_faults_are_not_followed_one_by_one() {
    for (faults, every, words) in [
        ("count", "10", ["--fault-stacks 10", "--faults each"]),
        ("off", "10", ["--fault-stacks 10", "--faults each"]),
        ("each", "0", ["--fault-stacks 0", "1 in 100"]),
    ] {
        let output = tracer()
            .args(["run", "--faults", faults, "--fault-stacks", every])
            .args(["--", "true"])
            .output()
            .unwrap();
        refused(&output, &words);
    }
}
