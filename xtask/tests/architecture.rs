//! The rules of the house that Cargo cannot hold, enforced. (Who may use whom stands in the manifests; what a
//! pure crate must not touch, in its `clippy.toml`.) Each rule is a function from names and texts to complaints,
//! tried on a bad sample below the rule itself.

#[path = "architecture/citations.rs"]
mod citations;
#[path = "architecture/repository.rs"]
mod repository;

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of the repository, by its path from the top.
struct File {
    path: String,
    text: String,
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All that is or would be committed. Files that are not text are listed with an empty text.
fn files() -> Vec<File> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(top())
        .output()
        .expect("git lists the files of the repository");
    let said = String::from_utf8_lossy(&listed.stderr);
    assert!(listed.status.success(), "git ls-files failed: {said}");
    let mut files: Vec<File> = String::from_utf8_lossy(&listed.stdout)
        .split_terminator('\0')
        .filter(|path| top().join(path).is_file())
        .map(|path| File {
            path: path.to_owned(),
            text: std::fs::read_to_string(top().join(path)).unwrap_or_default(),
        })
        .collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(files.len() > 20, "these are not the files: {}", files.len());
    files
}

#[track_caller]
fn hold(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn a_file_has_one_job_and_fits_into_the_head() {
    hold(&repository::too_long(&files()));
}

#[test]
fn nothing_lies_at_the_top_level_that_does_not_belong_there() {
    hold(&repository::strangers_at_the_top(&files()));
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    hold(&repository::foreign_paths(&files()));
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    hold(&repository::without_lints(&files()));
}

#[test]
fn modules_are_named_by_their_job() {
    hold(&repository::names_without_a_job(&files()));
}

#[test]
fn every_file_that_is_cited_is_there() {
    hold(&citations::of_nothing(&files()));
}

#[test]
fn every_pure_crate_has_its_walls() {
    hold(&repository::without_walls(&files()));
}
