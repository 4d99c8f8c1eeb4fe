//! What lies where in the repository, how long it is, and what it is called.

use crate::File;

/// Lines at which a source file is asked whether it still has one job.
const LONG: usize = 500;

/// Longer files, each with the reason why it is not two. A line that is no longer needed is an error.
const LONG_FOR_A_REASON: &[(&str, &str)] = &[];

/// All that may lie at the top.
const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".github",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "clippy.toml",
    "rustfmt.toml",
    "scripts",
    "tracer",
    "tracer-common",
    "tracer-ebpf",
    "xtask",
];

/// Names that say nothing about the job.
const EMPTY_NAMES: &[&str] = &[
    "common", "helper", "helpers", "manager", "misc", "util", "utils",
];

/// Source files that outgrew their job.
pub(crate) fn too_long(files: &[File]) -> Vec<String> {
    long(files, LONG_FOR_A_REASON)
}

fn long(files: &[File], excused: &[(&str, &str)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        let lines = file.text.lines().count();
        let excuse = excused.iter().any(|(path, _)| *path == file.path);
        if lines > LONG && !excuse {
            complaints.push(format!(
                "{}: {lines} lines: give a part of its job to a file of its own",
                file.path
            ));
        } else if lines <= LONG && excuse {
            complaints.push(format!(
                "{}: {lines} lines: needs no excuse any more",
                file.path
            ));
        }
    }
    for (path, _) in excused {
        if !files.iter().any(|file| file.path == *path) {
            complaints.push(format!("{path}: is excused, and is not there"));
        }
    }
    complaints
}

/// Entries at the top that do not belong there.
pub(crate) fn strangers_at_the_top(files: &[File]) -> Vec<String> {
    let mut strangers: Vec<String> = files
        .iter()
        .filter_map(|file| file.path.split('/').next())
        .filter(|entry| !TOP.contains(entry))
        .map(|entry| format!("{entry}: does not belong at the top level"))
        .collect();
    strangers.dedup();
    strangers
}

/// Paths of a machine that the project was written or built on.
pub(crate) fn foreign_paths(files: &[File]) -> Vec<String> {
    // Spelled in two parts, or this file would complain about itself.
    let foreign = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/tmp", "/w/"),
        concat!("/home", "/runner/"),
    ];
    let mut complaints = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            for path in foreign {
                if begins_a_path(line, path) {
                    complaints.push(format!(
                        "{}:{}: names {path}, a folder of one machine",
                        file.path,
                        number + 1
                    ));
                }
            }
        }
    }
    complaints
}

/// Whether the line has this path at its beginning, not as the middle of another one:
/// `/proc/1/root/etc` is a path of any machine.
fn begins_a_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.}>*)$".contains(c))
    })
}

/// Members of the workspace that do not inherit its lints.
pub(crate) fn without_lints(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for member in members(files) {
        let path = format!("{member}/Cargo.toml");
        let inherits = files
            .iter()
            .filter(|file| file.path == path)
            .any(|file| has_setting(&file.text, "[lints]", "workspace = true"));
        if !inherits {
            complaints.push(format!("{path}: lacks `[lints] workspace = true`"));
        }
    }
    complaints
}

/// Every folder below the top that holds a manifest: what is no member, cargo refuses to build.
fn members(files: &[File]) -> Vec<&str> {
    let members: Vec<&str> = files
        .iter()
        .filter_map(|file| file.path.strip_suffix("/Cargo.toml"))
        .collect();
    assert!(!members.is_empty(), "the workspace has no members");
    members
}

/// Pure crates whose `clippy.toml` is missing, or is not the one that all of them have.
pub(crate) fn without_walls(files: &[File]) -> Vec<String> {
    const PURE: [&str; 3] = ["analysis", "ledger", "report"];
    let walls = PURE.map(|name| {
        let path = format!("tracer/crates/{name}/clippy.toml");
        let text = files.iter().find(|file| file.path == path);
        (path, text.map_or("", |file| file.text.as_str()))
    });
    let whole = walls[0].1;
    walls
        .iter()
        .filter(|(_, text)| !text.contains("std::time::Instant") || *text != whole)
        .map(|(path, _)| format!("{path}: is not what keeps the pure crates pure"))
        .collect()
}

/// Whether a line of TOML stands under that heading, before the next one.
fn has_setting(toml: &str, heading: &str, setting: &str) -> bool {
    toml.lines()
        .skip_while(|line| line.trim() != heading)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .any(|line| line.trim() == setting)
}

/// Modules whose name does not tell their job. (The crate `tracer-common` is a name of the wire.)
pub(crate) fn names_without_a_job(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        let stem = file.path.trim_end_matches(".rs");
        if let Some(name) = stem.split('/').find(|part| EMPTY_NAMES.contains(part)) {
            complaints.push(format!("{}: `{name}` is no job", file.path));
        }
        for (number, line) in file.text.lines().enumerate() {
            let declared = line
                .trim_start()
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub ")
                .strip_prefix("mod ")
                .map(|rest| rest.trim_end_matches([';', '{', ' ']));
            if let Some(name) = declared.filter(|name| EMPTY_NAMES.contains(name)) {
                complaints.push(format!("{}:{}: `{name}` is no job", file.path, number + 1));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_long_file_is_found_unless_it_is_excused() {
        let long_one = [file("a/src/b.rs", &"\n".repeat(LONG + 1))];
        assert_eq!(long(&long_one, &[]).len(), 1);
        assert_eq!(long(&long_one, &[("a/src/b.rs", "why")]), [""; 0]);
        let short = [file("a/src/b.rs", &"\n".repeat(LONG))];
        assert_eq!(long(&short, &[]), [""; 0]);
    }

    #[test]
    fn an_excuse_that_is_not_needed_is_found() {
        let short = [file("a/src/b.rs", "\n")];
        assert_eq!(long(&short, &[("a/src/b.rs", "why")]).len(), 1);
        assert_eq!(long(&short, &[("a/src/gone.rs", "why")]).len(), 1);
    }

    #[test]
    fn a_stranger_at_the_top_is_found_once() {
        let files = [
            file("README.md", ""),
            file("docs/a.md", ""),
            file("docs/b.md", ""),
            file("tracer/docs/c.md", ""),
        ];
        assert_eq!(strangers_at_the_top(&files).len(), 1);
    }

    #[test]
    fn a_folder_of_one_machine_is_found_and_a_targets_root_is_not() {
        for line in [
            concat!("cd /wo", "rk/main"),
            concat!("path = \"/ro", "ot/.cargo\""),
            concat!("/tmp", "/w/x"),
        ] {
            assert_eq!(foreign_paths(&[file("a", line)]).len(), 1, "{line}");
        }
        for line in [
            concat!("/proc/self/ro", "ot/etc"),
            concat!("format!(\"/proc/{pid}/ro", "ot/tmp\")"),
            concat!("/proc/<pid>/ro", "ot/tmp"),
            concat!("src/wo", "rk/a"),
        ] {
            assert_eq!(foreign_paths(&[file("a", line)]), [""; 0], "{line}");
        }
    }

    #[test]
    fn a_crate_without_the_lints_is_found() {
        let workspace = file("Cargo.toml", "[workspace]\n");
        let good = file("a/Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n");
        let bad = file(
            "b/Cargo.toml",
            "[package]\nversion.workspace = true\n\n[lints]\n\n[dependencies]\nworkspace = true\n",
        );
        let found = without_lints(&[workspace, good, bad]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("b/"), "{found:?}");
    }

    #[test]
    fn names_that_tell_no_job_are_found() {
        for (path, text) in [
            ("tracer/src/utils.rs", ""),
            ("tracer/src/helpers/mod.rs", ""),
            ("tracer/src/a.rs", "    pub(crate) mod misc {"),
            ("tracer/src/a.rs", "mod manager;"),
        ] {
            assert_eq!(
                names_without_a_job(&[file(path, text)]).len(),
                1,
                "{path} {text}"
            );
        }
        let fine = file("tracer-common/src/memory.rs", "mod common_case;");
        assert_eq!(names_without_a_job(&[fine]), [""; 0]);
    }
}
