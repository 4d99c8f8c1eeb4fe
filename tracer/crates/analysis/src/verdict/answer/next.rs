//! The command that answers what is still open, where there is one that really does.

use super::Judged;
use crate::model::summary::{Level, Next};
use crate::naming::names::is_script;
use crate::verdict::facts::Facts;
use crate::verdict::suspects::SiteFacts;
use crate::words::shell::quoted;

/// The commands.
pub fn next(facts: &Facts<'_>, judged: &Judged<'_>) -> Vec<Next> {
    let whose = facts.whose;
    let mut all = Vec::new();
    if is_before(facts, judged) {
        all.extend(run_again(
            whose.cmdline,
            "",
            "who reserved what was there before tracing",
        ));
    }
    if is_unnamed_javascript(facts, judged) {
        all.extend(run_again(
            whose.cmdline,
            "--js-names ",
            "which JavaScript asks for it",
        ));
    }
    if judged.level == Level::Unknown && whose.lives {
        all.push(Next {
            why: "whether it goes on growing".into(),
            command: format!("tracer attach --pid {} --duration 10m", whose.pid),
        });
    }
    all
}

/// Much is asked for by Node's scripts, of which no name is known: they are only where the runtime wrote them down.
fn is_unnamed_javascript(facts: &Facts<'_>, judged: &Judged<'_>) -> bool {
    const MUCH: u64 = 16 << 20;
    let is_node = facts
        .whose
        .runtime
        .is_some_and(|one| one.starts_with("node"));
    let sites = judged.about();
    let much: u64 = sites.iter().map(|one| one.site.reserved_bytes).sum();
    let by_scripts = |one: &&SiteFacts<'_>| one.site.frames.iter().any(is_script);
    let is_named = |one: &&SiteFacts<'_>| {
        one.site
            .frames
            .iter()
            .any(|frame| is_script(frame) && frame.function.is_some())
    };
    is_node
        && !judged.is_small
        && judged.before.is_none()
        && much >= MUCH
        && sites.iter().any(by_scripts)
        && !sites.iter().any(is_named)
}

/// Only from its first instruction on is it seen who asks. `options`: of `tracer run`, with a space behind.
pub fn run_again(cmdline: &[String], options: &str, why: &str) -> Option<Next> {
    let words: Vec<String> = cmdline.iter().map(|word| quoted(word)).collect();
    (!words.is_empty()).then(|| Next {
        why: why.into(),
        command: format!("tracer run {options}-- {}", words.join(" ")),
    })
}

/// Most of it was there before anybody could see who asked.
fn is_before(facts: &Facts<'_>, judged: &Judged<'_>) -> bool {
    judged.before.is_some() && facts.grown_bytes() < facts.virtual_bytes.end / 10
}
