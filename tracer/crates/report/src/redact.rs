//! Takes out of a report what it must not tell when it is shown to strangers: the folders of paths, the
//! arguments of commands, the name of the host. What is left says the same of the memory.
//!
//! The last part of a path stays (`…/libc.so.6`), and what follows `node_modules/`, for it says whose code
//! it is; names of processes, threads and functions stay.

use std::cmp::Reverse;

use super::folding::fold;
use super::wrappers::Wrappers;
use tracer_analysis::explain::Explanation;
use tracer_analysis::summary::{Harm, Pattern, Process, Report, StackGrades};
use tracer_ledger::event::Frame;

/// A command that repeats the arguments of the process, whatever its own options are.
const RUN: &str = "tracer run ";

/// Takes it out of a report.
pub fn report(report: &mut Report) {
    report.host.name = String::new();
    grades(&mut report.stacks);
    for module in &mut report.modules {
        path(&mut module.path);
    }
    for process in &mut report.processes {
        self::process(process);
    }
}

/// Takes it out of an explanation.
pub fn explanation(seen: &mut Explanation) {
    seen.host.name = String::new();
    arguments(&mut seen.cmdline);
    path(&mut seen.exe);
    groups(&mut seen.harm);
    groups(&mut seen.verdict.hurts);
    let next = &mut seen.verdict.next;
    next.retain(|next| !next.command.starts_with(RUN));
    for kind in &mut seen.kinds {
        pattern(&mut kind.pattern);
        for range in &mut kind.ranges {
            path(&mut range.name);
        }
    }
    for range in &mut seen.unexplained {
        path(&mut range.name);
    }
}

fn process(process: &mut Process) {
    arguments(&mut process.cmdline);
    path(&mut process.exe);
    grades(&mut process.stacks);
    for difference in &mut process.ledger.differences {
        path(&mut difference.name);
    }
    for site in &mut process.sites {
        path(&mut site.name);
        frames(&mut site.frames);
        site.files.iter_mut().for_each(path);
        if let Some(pattern) = &mut site.pattern {
            self::pattern(pattern);
        }
        for touch in &mut site.touch_sites {
            frames(&mut touch.frames);
        }
    }
    for reservation in &mut process.reservations {
        path(&mut reservation.name);
    }
    groups(&mut process.harm);
    groups(&mut process.verdict.hurts);
    names(process);
}

/// Where control groups are.
fn groups(harms: &mut [Harm]) {
    for group in harms.iter_mut().filter_map(|harm| harm.group.as_mut()) {
        path(&mut group.path);
    }
}

/// Sites and who was refused are named anew, by what is left of the frames; in the verdict, too.
fn names(process: &mut Process) {
    let wrappers = Wrappers::of(process.sites.iter().map(|site| site.frames.as_slice()));
    let mut renamed: Vec<(String, String)> = Vec::new();
    let mut rename = |before: Option<String>, now: Option<&String>| {
        let now = now.map_or("?", String::as_str);
        let before = before.filter(|before| !before.is_empty() && before != now);
        renamed.extend(before.map(|before| (before, now.to_owned())));
    };
    for row in &mut process.refused {
        let site = process.sites.iter().find(|site| Some(site.id) == row.site);
        let who = site.and_then(|site| fold(&site.frames, &wrappers).who());
        rename(std::mem::replace(&mut row.by, who), row.by.as_ref());
    }
    for site in process
        .sites
        .iter_mut()
        .filter(|site| !site.frames.is_empty())
    {
        let folded = fold(&site.frames, &wrappers);
        site.name = folded.short;
        let before = std::mem::replace(&mut site.place, folded.location);
        rename(before, site.place.as_ref());
    }
    // The longest first: one may be a part of another.
    renamed.sort_by_key(|(before, _)| Reverse(before.len()));
    let verdict = &mut process.verdict;
    let texts = [&mut verdict.text, &mut verdict.headline];
    let places = verdict.who.iter_mut().filter_map(|who| who.place.as_mut());
    for text in texts.into_iter().chain(&mut verdict.because).chain(places) {
        for (before, now) in &renamed {
            *text = text.replace(before, now);
        }
    }
    verdict.next.retain(|next| !next.command.starts_with(RUN));
}

/// The command's own name stays, its arguments go.
fn arguments(cmdline: &mut Vec<String>) {
    cmdline.truncate(1);
    // A process may have written all of them into the first.
    if let Some(command) = cmdline.first_mut() {
        command.truncate(command.find(' ').unwrap_or(command.len()));
        path(command);
    }
}

fn grades(grades: &mut StackGrades) {
    for cause in &mut grades.causes {
        if let Some(module) = &mut cause.module {
            path(module);
        }
    }
}

fn frames(frames: &mut [Frame]) {
    for frame in frames {
        // A runtime may have put a file into the name.
        if let Some(function) = &mut frame.function {
            let words: Vec<String> = function.split(' ').map(shortened).collect();
            *function = words.join(" ");
        }
        if let Some(module) = &mut frame.module {
            path(module);
        }
        if let Some(file) = &mut frame.file {
            path(file);
        }
    }
}

fn pattern(pattern: &mut Pattern) {
    for evidence in &mut pattern.evidence {
        // A path goes on to the end: it may have spaces in it.
        if let Some((before, path)) = evidence.split_once(" /") {
            *evidence = format!("{before} {}", shortened(&format!("/{path}")));
        }
    }
}

fn path(path: &mut String) {
    *path = shortened(path);
}

/// `…/libc.so.6` of a path; what is none stays.
fn shortened(text: &str) -> String {
    let path = text.strip_prefix("file://").unwrap_or(text);
    if !path.starts_with('/') {
        return text.to_owned();
    }
    let kept = match path.rfind("/node_modules/") {
        Some(at) => &path[at + 1..],
        None => path.rsplit('/').next().unwrap_or_default(),
    };
    format!("…/{kept}")
}

#[cfg(test)]
mod tests {
    use super::{arguments, shortened};

    #[test]
    fn of_a_path_its_end_stays() {
        assert_eq!(shortened("/home/ann/secret/libx.so"), "…/libx.so");
        assert_eq!(shortened("file:///srv/app/index.js"), "…/index.js");
        assert_eq!(
            shortened("/home/ann/node_modules/undici/lib/x.js"),
            "…/node_modules/undici/lib/x.js"
        );
        for kept in ["node:internal/deps/undici/undici", "[heap]", "", "mmap"] {
            assert_eq!(shortened(kept), kept);
        }
    }

    #[test]
    fn no_argument_stays() {
        let mut cmdline = vec![
            "/usr/bin/node --token=s3cret".to_owned(),
            "--password=x".to_owned(),
        ];
        arguments(&mut cmdline);
        assert_eq!(cmdline, ["…/node"]);
        let mut none = Vec::new();
        arguments(&mut none);
        assert!(none.is_empty());
    }
}
