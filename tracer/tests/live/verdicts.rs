//! What is said of programs whose course of memory is known: some of the labelled shapes that `scripts/verdicts`
//! judges, all at once. That script has them all, and real runtimes besides.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::command::{folder, json, tracer};
use crate::compiled::compile;

/// Long enough for a course of which the first half is calm.
const TIME: &str = "8s";

/// Each shape, and the levels that are right for it.
const LABELLED: [(&str, &[&str]); 6] = [
    ("forgotten_munmap", &["leak"]),
    ("forgotten_small_blocks", &["leak"]),
    ("leak_after_calm", &["leak"]),
    ("pool_without_limit", &["watch", "leak"]),
    ("sawtooth", &["benign", "unknown"]),
    ("untouched_reservation", &["benign"]),
];

fn traced(program: &Path, shape: &str, report: &Path) -> Child {
    tracer()
        .args(["run", "--quiet", "--duration", TIME, "--report"])
        .arg(report)
        .arg("--")
        .arg(program)
        .arg(shape)
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn leaks_are_called_leaks_and_what_only_looks_like_one_is_not() {
    let folder = folder();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/verdicts.d");
    let main = fs::read_to_string(sources.join("shapes.c")).unwrap();
    let others = ["pages.c", "phases.c", "refusals.c"].map(|name| sources.join(name));
    let mut options: Vec<&str> = others.iter().filter_map(|path| path.to_str()).collect();
    let headers = format!("-I{}", sources.display());
    options.push(&headers);
    let program = compile(folder.path(), &main, &options);
    let report = |shape: &str| folder.path().join(shape).with_extension("json");
    let begun = LABELLED.map(|(shape, _)| traced(&program, shape, &report(shape)));
    for mut tracing in begun {
        // The exit code is that of the shape, which the tracer ends.
        tracing.wait().unwrap();
    }
    let mut wrong = Vec::new();
    for (shape, right) in LABELLED {
        let report = json(&report(shape));
        assert_eq!(report["losses"]["events"], 0, "{shape}");
        let verdict = &report["processes"][0]["verdict"];
        if !right.contains(&verdict["level"].as_str().unwrap()) {
            wrong.push(format!("{shape}: {verdict}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
