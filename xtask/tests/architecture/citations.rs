//! Files that a text names must be there.

use crate::File;

/// Where a path within the repository begins.
const ROOTS: [&str; 7] = [
    "tracer/",
    "tracer-common/",
    "tracer-ebpf/",
    "xtask/",
    "scripts/",
    ".ci/",
    ".github/",
];

/// Paths and documents that a source or a text cites, and that are not there.
pub(crate) fn of_nothing(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| cites(&file.path)) {
        for (number, line) in file.text.lines().enumerate() {
            for cited in words(line) {
                if !is_there(cited, &file.path, files) {
                    let line = number + 1;
                    complaints.push(format!("{}:{line}: {cited} is not there", file.path));
                }
            }
        }
    }
    complaints
}

fn cites(path: &str) -> bool {
    // The samples of this test are of nothing by intent.
    [".rs", ".md", ".toml", ".yml"]
        .iter()
        .any(|ending| path.ends_with(ending))
        && !path.starts_with("xtask/tests/architecture/")
}

/// What a line cites: paths below a folder of the top, and documents in capitals (`SOME.md`).
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || "/._-*{},".contains(c)))
        .map(|word| word.trim_end_matches(['.', ',', '/']))
        .filter(|word| {
            ROOTS
                .iter()
                .any(|root| word.strip_prefix(root).is_some_and(|rest| !rest.is_empty()))
                || word.strip_suffix(".md").is_some_and(is_a_title)
        })
}

/// `FILE.md` stands for any file.
fn is_a_title(stem: &str) -> bool {
    stem != "FILE" && stem.len() > 2 && stem.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// A path from the top or beside the citing file, a folder, or a pattern of them (`*`, `{a,b}`).
fn is_there(cited: &str, citing: &str, files: &[File]) -> bool {
    let fixed = cited.split(['*', '{']).next().unwrap_or_default();
    if fixed != cited {
        return files.iter().any(|file| file.path.starts_with(fixed));
    }
    let beside = citing.rsplit_once('/').map_or("", |(folder, _)| folder);
    files.iter().any(|file| {
        let path = file.path.as_str();
        path == cited
            || path
                .strip_prefix(cited)
                .is_some_and(|rest| rest.starts_with('/'))
            || path
                .strip_prefix(beside)
                .is_some_and(|rest| rest.trim_start_matches('/') == cited)
            || (!cited.contains('/') && path.ends_with(&format!("/{cited}")))
    })
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
    fn what_is_not_there_is_found_wherever_it_is_cited() {
        for text in [
            "see `tracer/docs/none.md`.",
            "//! (DESIGN.md, rule 1)",
            "[light](scripts/pictures/none.png)",
            "run scripts/none/*.c",
        ] {
            let files = [file("README.md", text), file("tracer/src/lib.rs", "")];
            assert_eq!(of_nothing(&files).len(), 1, "{text}");
        }
    }

    #[test]
    fn files_folders_and_patterns_that_are_there_are_fine() {
        let text =
            "`tracer/src`, tracer/src/lib.rs. tracer/src/*.rs (ARCHITECTURE.md) and/or RULES";
        let files = [
            file("README.md", text),
            file("tracer/src/lib.rs", ""),
            file("tracer/ARCHITECTURE.md", ""),
        ];
        assert_eq!(of_nothing(&files), [""; 0]);
    }
}
