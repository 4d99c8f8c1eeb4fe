//! One line on the stacks that do not reach the start of their thread, and why.

use std::io::{self, Write};

use super::line::Paint;
use super::writer::ReportWriter;
use crate::names::last_part;
use tracer_analysis::summary::{Acquired, StackCause, StackGrades};
use tracer_analysis::units::{bytes, count, counted};
use tracer_ledger::event::Cause;

/// The most causes named.
const NAMED: usize = 3;

impl<W: Write> ReportWriter<'_, W> {
    /// Nothing if all stacks are complete. `apart`: after an empty line.
    pub(super) fn stacks(&mut self, apart: bool) -> io::Result<()> {
        let Some(text) = text(&self.report.stacks) else {
            return Ok(());
        };
        if apart {
            self.blank()?;
        }
        self.labelled("Stacks", Paint::Dim, &text, Paint::Dim)
    }
}

fn text(grades: &StackGrades) -> Option<String> {
    let StackGrades {
        complete,
        cut,
        broken,
        none,
        causes,
    } = grades;
    let all = [complete, cut, broken, none];
    let calls: u64 = all.iter().map(|grade| grade.calls).sum();
    if complete.calls == calls {
        return None;
    }
    let parts = [(cut, "cut"), (broken, "broken"), (none, "without one")];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(grade, _)| grade.calls > 0)
        .map(|(grade, word)| format!("{} {word}", amount(*grade)))
        .collect();
    let mut text = format!(
        "complete for {} of {}; {}",
        count(complete.calls),
        counted(calls, "call", "calls"),
        parts.join(", ")
    );
    let causes = by_words(causes);
    for (index, (words, calls)) in causes.iter().take(NAMED).enumerate() {
        text.push_str(if index == 0 { ". Why: " } else { ", " });
        text.push_str(&format!("{words} ({})", count(*calls)));
    }
    if causes.len() > NAMED {
        text.push_str(", …");
    }
    Some(text)
}

/// Causes that read the same are one: not every one names its module. The most frequent first.
fn by_words(causes: &[StackCause]) -> Vec<(String, u64)> {
    let mut found: Vec<(String, u64)> = Vec::new();
    for cause in causes {
        let words = words(cause);
        let calls = cause.acquired.calls;
        match found.iter_mut().find(|other| other.0 == words) {
            Some(other) => other.1 += calls,
            None => found.push((words, calls)),
        }
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.1));
    found
}

fn amount(grade: Acquired) -> String {
    format!("{} ({})", count(grade.calls), bytes(grade.reserved_bytes))
}

fn words(cause: &StackCause) -> String {
    let module = cause.module.as_deref().map(last_part);
    let of = |text: &str| match module {
        Some(module) => format!("{text} {module}"),
        None => text.to_owned(),
    };
    match cause.cause {
        Cause::Lost => "lost".into(),
        Cause::TooDeep => "too deep".into(),
        Cause::BeyondCopy => "longer than what is copied".into(),
        Cause::Pressure => "too much came at once to copy it".into(),
        Cause::NoUnwindInformation => of("no unwind information in"),
        Cause::RuntimeCode => "code made at run time without frame pointers".into(),
        Cause::Astray => of("lost the way in"),
        Cause::Gone => "the process was gone before it could be looked at".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::text;
    use tracer_analysis::summary::{Acquired, StackCause, StackGrades};
    use tracer_ledger::event::Cause;

    fn acquired(calls: u64, reserved_bytes: u64) -> Acquired {
        Acquired {
            calls,
            reserved_bytes,
        }
    }

    #[test]
    fn complete_stacks_are_not_worth_a_line_and_others_are_told_with_their_causes() {
        let mut grades = StackGrades {
            complete: acquired(1200, 1 << 30),
            ..StackGrades::default()
        };
        assert_eq!(text(&grades), None);
        grades.cut = acquired(2, 8192);
        grades.none = acquired(1, 4096);
        grades.causes = vec![
            StackCause {
                cause: Cause::NoUnwindInformation,
                module: Some("/opt/lib/libodd.so".into()),
                acquired: grades.cut,
            },
            StackCause {
                cause: Cause::Lost,
                module: None,
                acquired: grades.none,
            },
        ];
        assert_eq!(
            text(&grades).as_deref(),
            Some(
                "complete for 1,200 of 1,203 calls; 2 (8 KiB) cut, 1 (4 KiB) without one. \
                 Why: no unwind information in libodd.so (2), lost (1)"
            )
        );
    }

    #[test]
    fn a_cause_that_reads_the_same_is_told_once() {
        let cause = |cause, module: &str, calls| StackCause {
            cause,
            module: Some(module.into()),
            acquired: acquired(calls, 4096),
        };
        let grades = StackGrades {
            cut: acquired(9, 4096),
            causes: vec![
                cause(Cause::Astray, "/lib/a.so", 4),
                cause(Cause::TooDeep, "/lib/a.so", 3),
                cause(Cause::TooDeep, "/lib/b.so", 2),
            ],
            ..StackGrades::default()
        };
        let text = text(&grades).unwrap();
        assert!(
            text.ends_with("Why: too deep (5), lost the way in a.so (4)"),
            "{text}"
        );
    }
}
