//! Who may import what, and what the core may not mention.

use crate::File;
use crate::paths::{self, Mention};

/// The modules that are pure: no aya, no file system, no clock, no terminal, no threads.
const CORE: [&str; 4] = ["event", "order", "ledger", "analysis"];

/// What a pure module has no use for. A crate's name stands for all of it.
const IMPURE: &[&str] = &[
    "aya",
    "aya_log",
    "blazesym",
    "caps",
    "clap",
    "env_logger",
    "indicatif",
    "libc",
    "log",
    "procfs",
    "rustix",
    "tokio",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "dbg!",
    "eprint!",
    "eprintln!",
    "print!",
    "println!",
];

/// A module of the library imports only from those declared above it in `lib.rs`; the last one
/// wires them all together.
pub(crate) fn against_the_order(sources: &[File]) -> Vec<String> {
    let order = declared(sources);
    let mut complaints = Vec::new();
    for file in sources {
        let module = module(file);
        let Some(own) = order.iter().position(|name| *name == module) else {
            continue;
        };
        for mention in paths::mentions(&file.text) {
            let Some(target) = top_level_module(file, &mention) else {
                continue;
            };
            let place = order.iter().position(|name| *name == target);
            let allowed = match place {
                Some(place) => place <= own,
                None => target != "*",
            };
            if !allowed {
                complaints.push(format!(
                    "tracer/src/{}:{}: `{module}` mentions `crate::{target}`, which comes after it in lib.rs",
                    file.path, mention.line
                ));
            }
        }
    }
    complaints
}

/// The core mentions nothing impure.
pub(crate) fn impure_core(sources: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in sources {
        if !CORE.contains(&module(file)) {
            continue;
        }
        for mention in paths::mentions(&file.text) {
            let path = mention.parts.join("::");
            let impure = IMPURE.iter().any(|impure| {
                path.strip_prefix(impure)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            });
            if impure {
                complaints.push(format!(
                    "tracer/src/{}:{}: the core mentions `{path}`",
                    file.path, mention.line
                ));
            }
        }
    }
    complaints
}

/// The modules of `lib.rs`, as they are declared.
fn declared(sources: &[File]) -> Vec<&str> {
    let names: Vec<&str> = sources
        .iter()
        .filter(|file| file.path == "lib.rs")
        .flat_map(|file| file.text.lines())
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert!(!names.is_empty(), "lib.rs declares no modules");
    names
}

/// The top-level module that a file belongs to.
fn module(file: &File) -> &str {
    let first = file.path.split('/').next().unwrap_or_default();
    first.strip_suffix(".rs").unwrap_or(first)
}

/// How many modules a file is below the crate's root.
fn depth(file: &File) -> usize {
    let parts = file.path.split('/').count();
    if file.path.ends_with("/mod.rs") {
        parts - 1
    } else {
        parts
    }
}

/// The top-level module of this crate that a path leads to, by `crate::` or by enough `super::`;
/// `*` if it takes them all.
fn top_level_module<'a>(file: &File, mention: &'a Mention) -> Option<&'a str> {
    let parts = &mention.parts;
    let supers = parts.iter().take_while(|part| *part == "super").count();
    let rest = if parts.first().is_some_and(|part| part == "crate") {
        &parts[1..]
    } else if supers == depth(file) {
        &parts[supers..]
    } else {
        return None;
    };
    // `use crate::*` names nothing; `use super::*` is how tests see their own module.
    match rest.first() {
        Some(name) => Some(name),
        None => (supers == 0).then_some("*"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(path: &str, text: &str) -> [File; 2] {
        let file = |path: &str, text: &str| File {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        [
            file(
                "lib.rs",
                "pub mod event;\npub mod order;\npub mod ledger;\npub mod session;\n",
            ),
            file(path, text),
        ]
    }

    #[test]
    fn an_import_from_below_is_found_in_every_form() {
        for text in [
            "use crate::session::Session;",
            "use crate::{event::Event, session};",
            "fn f() { crate::session::start() }",
            "use super::session::Session;",
            "use crate::*;",
        ] {
            let found = against_the_order(&library("order.rs", text));
            assert_eq!(found.len(), 1, "{text}: {found:?}");
        }
        let deep = "mod tests { use super::*; }\nuse super::super::session;";
        let found = against_the_order(&library("ledger/change.rs", deep));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("ledger/change.rs:2"), "{found:?}");
    }

    #[test]
    fn imports_from_above_and_from_itself_are_fine() {
        let text = "use crate::event::Event; use crate::order; use super::change::Change; mod tests { use super::*; }";
        let found = against_the_order(&library("ledger/mod.rs", text));
        assert_eq!(found, Vec::<String>::new());
        let all = "use crate::{event, order, ledger};";
        assert_eq!(
            against_the_order(&library("session.rs", all)),
            Vec::<String>::new()
        );
    }

    #[test]
    fn every_impurity_in_the_core_is_found() {
        for text in [
            "use std::{collections::BTreeMap, fs};",
            "use std::io::{self, Write as _};",
            "fn f() { std::time::Instant::now(); }",
            "use aya::maps::RingBuf;",
            "use libc;",
            "fn f() { println!(\"x\"); }",
        ] {
            let found = impure_core(&library("ledger/mod.rs", text));
            assert!(!found.is_empty(), "{text}");
        }
    }

    #[test]
    fn edges_may_be_impure_and_the_core_may_use_what_is_pure() {
        let edge = "use std::fs;";
        assert_eq!(
            impure_core(&library("session.rs", edge)),
            Vec::<String>::new()
        );
        let pure = "use std::collections::BTreeMap; use std::time::Duration; use logic::Rule;";
        assert_eq!(
            impure_core(&library("ledger/mod.rs", pure)),
            Vec::<String>::new()
        );
    }
}
