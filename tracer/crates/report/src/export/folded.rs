//! Folded stacks: a line each, `process;outer;…;inner 4096`, what flame graphs, speedscope and others are
//! made from (<https://github.com/brendangregg/FlameGraph#2-fold-stacks>).
//!
//! The kinds of frames are annotated as `stackcollapse-perf.pl --all` does it: `_[k]` kernel, `_[j]` compiled
//! at run time or interpreted, `_[i]` inlined.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use super::samples::{Step, Value, label, measured};
use crate::names::is_script;
use crate::text::line::escape;
use tracer_analysis::summary::Report;
use tracer_ledger::event::{Frame, FrameKind};

/// Stacks and what each adds up to, in the order of their bytes, as readers want them. Zeros are left out.
pub type Folded<V> = BTreeMap<String, V>;

/// Writes a figure of every stack. Returns of how many sites it is not known: these are left out.
///
/// # Errors
/// Those of `out`; the figure is known of no site.
pub fn write(report: &Report, value: Value, out: &mut impl Write) -> io::Result<u64> {
    let (folded, unknown) = fold(report, value)?;
    for (stack, figure) in folded {
        writeln!(out, "{stack} {figure}")?;
    }
    Ok(unknown)
}

/// A figure of every stack, and of how many sites it is not known.
pub(super) fn fold(report: &Report, value: Value) -> io::Result<(Folded<u64>, u64)> {
    let (known, unknown) = measured(report, value)?;
    let mut names = Names::default();
    let mut folded = Folded::new();
    for (sample, figure) in &known {
        if *figure > 0 {
            *folded.entry(names.line(&sample.steps())).or_default() += figure;
        }
    }
    Ok((folded, unknown))
}

/// Names of frames, each made once.
#[derive(Default)]
pub(super) struct Names<'a> {
    known: HashMap<&'a Frame, String>,
}

impl<'a> Names<'a> {
    /// Steps as one line, without a figure.
    pub(super) fn line(&mut self, steps: &[Step<'a>]) -> String {
        let mut line = String::new();
        for step in steps {
            if !line.is_empty() {
                line.push(';');
            }
            match step {
                Step::Said(text) => line.push_str(&clean(text)),
                Step::Frame(frame) => {
                    let name = self.known.entry(frame).or_insert_with(|| annotated(frame));
                    line.push_str(name);
                }
            }
        }
        unmistakable(line)
    }
}

fn annotated(frame: &Frame) -> String {
    let mut name = clean(&label(frame));
    if frame.kind == FrameKind::Kernel {
        name.push_str("_[k]");
    } else if is_script(frame) {
        name.push_str("_[j]");
    } else if frame.inlined {
        name.push_str("_[i]");
    }
    name
}

/// A name in which nothing ends a frame or a line, and that XML can hold.
fn clean(name: &str) -> String {
    let name = escape(name).replace(';', ":");
    let name = name.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    match name.trim() {
        "" => "?".into(),
        name => name.to_owned(),
    }
}

/// Readers take a number behind a space for a figure, also a second one, and a line that begins with `# ` for
/// a comment.
fn unmistakable(mut line: String) -> String {
    let last = line.rfind(' ').map(|at| (at, &line[at + 1..]));
    if let Some((at, word)) = last
        && word.chars().all(|c| c.is_ascii_digit() || c == '.')
    {
        line.replace_range(at..=at, "_");
    }
    if line.starts_with('#') {
        line.replace_range(..1, "\\x23");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(names: &[&str]) -> String {
        let frames: Vec<Frame> = names
            .iter()
            .map(|name| Frame {
                function: Some((*name).into()),
                ..Frame::default()
            })
            .collect();
        let steps: Vec<_> = frames.iter().map(Step::Frame).collect();
        Names::default().line(&steps)
    }

    #[test]
    fn no_name_can_end_its_frame_its_line_or_pass_for_a_figure() {
        assert_eq!(one(&["a;b", "c\nd 5\n"]), "a:b;c\\x0ad 5\\x0a");
        assert_eq!(one(&["a", "b 12"]), "a;b_12");
        assert_eq!(one(&["a", "b 1.5"]), "a;b_1.5");
        assert_eq!(one(&["# a", " "]), "\\x23 a;?");
        assert_eq!(one(&["a\u{ffff}\u{1b}[31m"]), "a\u{fffd}\\x1b[31m");
    }

    #[test]
    fn kinds_of_code_are_told_apart() {
        let named = |kind, inlined| {
            annotated(&Frame {
                function: Some("f".into()),
                kind,
                inlined,
                ..Frame::default()
            })
        };
        assert_eq!(named(FrameKind::Native, false), "f");
        assert_eq!(named(FrameKind::Native, true), "f_[i]");
        assert_eq!(named(FrameKind::Jit, false), "f_[j]");
        assert_eq!(named(FrameKind::Kernel, false), "f_[k]");
    }
}
