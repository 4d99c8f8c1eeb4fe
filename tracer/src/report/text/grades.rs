//! One line on the stacks that do not reach the start of their thread, and why.

use std::io::{self, Write};

use super::Writer;
use super::line::Paint;
use crate::analysis::summary::{Acquired, StackCause, StackGrades};
use crate::analysis::units::{bytes, count, counted};
use crate::event::Cause;
use crate::report::names::last_part;

/// The most causes named.
const NAMED: usize = 3;

impl<W: Write> Writer<'_, W> {
    /// Nothing if all stacks are complete.
    pub(super) fn stacks(&mut self) -> io::Result<()> {
        match text(&self.report.stacks) {
            Some(text) => self.labelled("Stacks", Paint::Dim, &text, Paint::Dim),
            None => Ok(()),
        }
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
    for (index, cause) in causes.iter().take(NAMED).enumerate() {
        text.push_str(if index == 0 { ". Why: " } else { ", " });
        text.push_str(&format!(
            "{} ({})",
            words(cause),
            count(cause.acquired.calls)
        ));
    }
    if causes.len() > NAMED {
        text.push_str(", …");
    }
    Some(text)
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
    use crate::analysis::summary::{Acquired, StackCause, StackGrades};
    use crate::event::Cause;

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
}
