//! What the README and the pages in `docs/` show as printed is what is printed: each block behind `<!-- $ tracer … -->`
//! is held against the command's output, run from the checkout's top. A block that ends with `[…]` shows the
//! beginning. `at POINTER` behind the command takes that part of a JSON report.
//!
//! `UPDATE_README=1 cargo test -p tracer --test readme` writes the blocks anew; look at the difference
//! before you commit it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on shall say where it stopped"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const BEGINS: &str = "<!-- $ tracer ";
const ENDS: &str = " -->";
/// The last line of a block that does not show all.
const MORE: &str = "[…]";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A command line of the README, and the part of its JSON that is shown.
fn parted(line: &str) -> (&str, Option<&str>) {
    match line.split_once(" at ") {
        Some((line, pointer)) => (line, Some(pointer)),
        None => (line, None),
    }
}

/// What every command of these pages prints, each run once, all at one time.
fn outputs(readme: &str) -> BTreeMap<&str, String> {
    let commands: BTreeSet<&str> = readme
        .lines()
        .filter_map(command)
        .map(|line| parted(line).0)
        .collect();
    let running: Vec<(&str, Child)> = commands
        .into_iter()
        .map(|line| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_tracer"));
            command
                .args(line.split(' '))
                .current_dir(root())
                .env_remove("GITHUB_ACTIONS")
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            (line, command.spawn().unwrap())
        })
        .collect();
    let ended = running.into_iter().map(|(line, child)| {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "`tracer {line}`: {said}"
        );
        (line, String::from_utf8(output.stdout).unwrap())
    });
    ended.collect()
}

/// The command that a line of the README says its block is printed by.
fn command(line: &str) -> Option<&str> {
    line.strip_prefix(BEGINS)?.strip_suffix(ENDS)
}

/// What a block is to show.
fn printed(line: &str, outputs: &BTreeMap<&str, String>) -> String {
    let (line, pointer) = parted(line);
    let Some(pointer) = pointer else {
        return outputs[line].clone();
    };
    let value: serde_json::Value = serde_json::from_str(&outputs[line]).unwrap();
    let part = value.pointer(pointer);
    format!(
        "{:#}\n",
        part.unwrap_or_else(|| panic!("`{line}` has no {pointer}"))
    )
}

/// The README with every block as it is printed now, and how many there are.
fn as_printed(readme: &str, outputs: &BTreeMap<&str, String>) -> (String, usize) {
    let mut out = String::new();
    let mut blocks = 0;
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let Some(command) = line
            .strip_prefix(BEGINS)
            .and_then(|rest| rest.strip_suffix(ENDS))
        else {
            continue;
        };
        blocks += 1;
        let fence_line = lines.next().unwrap();
        let fence = fence_line.trim_end_matches(|letter| letter != '`');
        assert!(fence.starts_with("```"), "behind `{line}` no block begins");
        let old: Vec<&str> = lines.by_ref().take_while(|line| *line != fence).collect();
        let printed = printed(command, outputs);
        let mut new: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
        if old.last() == Some(&MORE) {
            let shown = old.len() - 1;
            assert!(
                new.len() > shown,
                "`{command}` prints no more than is shown: take {MORE} out"
            );
            new.truncate(shown);
            new.push(MORE);
        }
        out.push_str(fence_line);
        out.push('\n');
        for line in new {
            out.push_str(line);
            out.push('\n');
        }
        out.push_str(fence);
        out.push('\n');
    }
    (out, blocks)
}

/// The README, and the pages that it leads to.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("tracer/docs")).unwrap();
    let mut pages: Vec<PathBuf> = docs.map(|entry| entry.unwrap().path()).collect();
    pages.push(root().join("README.md"));
    pages.sort();
    pages
}

#[test]
fn what_the_readme_and_its_pages_show_is_what_is_printed() {
    let mut all = 0;
    let paths = pages();
    let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    let texts: Vec<String> = texts.collect();
    let together = texts.concat();
    let outputs = outputs(&together);
    for (path, page) in paths.iter().zip(&texts) {
        let name = path.display();
        let (now, blocks) = as_printed(page, &outputs);
        all += blocks;
        if std::env::var_os("UPDATE_README").is_some_and(|value| value == "1") {
            fs::write(path, now).unwrap();
            continue;
        }
        let differing = page
            .lines()
            .zip(now.lines())
            .position(|(old, new)| old != new);
        if let Some(at) = differing {
            panic!(
                "{name}, line {}, is not as it is printed:\n  there: {:?}\n  now:   {:?}",
                at + 1,
                page.lines().nth(at),
                now.lines().nth(at)
            );
        }
        assert_eq!(*page, now, "{name}");
    }
    assert!(all >= 7, "text, Markdown, JSON, a comparison, a gate");
}

/// One that is longer is not read.
#[test]
fn the_readme_is_short_and_leads_to_every_page() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.lines().count() <= 150);
    for page in pages() {
        let name = page.file_name().unwrap().to_str().unwrap();
        let leads = readme.contains(&format!("](tracer/docs/{name})")) || name == "README.md";
        assert!(leads, "{name}");
    }
}
