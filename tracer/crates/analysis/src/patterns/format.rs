//! The text that patterns are written in: TOML, strict. What is not known there is a mistake, so that a
//! condition spelled wrongly is not one that is never asked.

use serde::Deserialize;
use toml::Spanned;

use super::condition::When;
use super::range::{Range, Ranges, size};
use super::shape::{self, RawShape};
use super::{Knob, Known};
use crate::model::summary::Level;
use crate::words::mapping_words;
use crate::words::toml_text::{self, Mistake};
use tracer_ledger::ledger::change::Origin;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    pattern: Vec<Spanned<RawPattern>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPattern {
    id: Spanned<String>,
    name: String,
    level: Level,
    growing: Option<Level>,
    touched: Option<Level>,
    #[serde(default)]
    pool: bool,
    meaning: String,
    #[serde(default)]
    advice: Vec<String>,
    #[serde(default)]
    knob: Vec<RawKnob>,
    source: String,
    #[serde(default)]
    when: Vec<Spanned<RawWhen>>,
    #[serde(default)]
    shape: Vec<Spanned<RawShape>>,
    many: Option<u64>,
    many_per_cpu: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKnob {
    #[serde(default = "no_runtime")]
    runtime: Spanned<String>,
    set: String,
    effect: String,
    becomes: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWhen {
    confidence: Spanned<f64>,
    call: Option<Call>,
    #[serde(default)]
    frames: Vec<Spanned<String>>,
    #[serde(default)]
    without_frames: Vec<Spanned<String>>,
    caller: Option<Spanned<String>>,
    runtime: Option<Spanned<String>>,
    program: Option<Spanned<String>>,
    thread: Option<Spanned<String>>,
    #[serde(default)]
    requested: Vec<Spanned<String>>,
    #[serde(default)]
    settled: Vec<Spanned<String>>,
    #[serde(default)]
    accessible: Vec<Spanned<String>>,
    #[serde(default)]
    accessible_at: Vec<Spanned<String>>,
    aligned: Option<Spanned<String>>,
    protection: Option<Spanned<String>>,
    #[serde(default)]
    flags: Vec<Spanned<String>>,
    #[serde(default)]
    without_flags: Vec<Spanned<String>>,
    name: Option<Spanned<String>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Call {
    Mmap,
    Mremap,
    Brk,
    Shmat,
}

/// Reads the patterns of a text.
pub fn read(text: &str) -> Result<Vec<Known>, Mistake> {
    let at = |offset: usize, what: String| Mistake::at(text, offset, what);
    let file: File = toml_text::read(text)?;
    let mut read: Vec<Known> = Vec::new();
    for raw in file.pattern {
        let place = raw.span().start;
        let raw = raw.into_inner();
        let id_place = raw.id.span().start;
        let id = raw.id.into_inner();
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || !id.chars().all(is_word) {
            let what = format!("the id `{id}` is to be of small letters, digits and `-`");
            return Err(at(id_place, what));
        }
        if read.iter().any(|other| other.id == id) {
            let what = format!("`{id}` is there already: give this one another id");
            return Err(at(id_place, what));
        }
        if raw.when.is_empty() && raw.shape.is_empty() {
            let what = format!(
                "`{id}` has no [[pattern.when]] and no [[pattern.shape]]: it would never be recognised"
            );
            return Err(at(place, what));
        }
        let whens = raw.when.into_iter().map(|when| {
            let place = when.span().start;
            self::when(when.into_inner(), place)
                .map_err(|(offset, what)| at(offset, format!("`{id}`: {what}")))
        });
        let whens = whens.collect::<Result<_, _>>()?;
        for knob in &raw.knob {
            // Without a runtime it is everybody's.
            if !knob.runtime.get_ref().is_empty() {
                words("runtime", knob.runtime.clone())
                    .map_err(|(offset, what)| at(offset, format!("`{id}`: {what}")))?;
            }
        }
        let knobs = raw.knob.into_iter().map(|knob| {
            let becomes = knob.becomes.map(|becomes| {
                size(becomes.get_ref()).map_err(|what| at(becomes.span().start, what))
            });
            Ok(Knob {
                runtime: knob.runtime.into_inner(),
                set: knob.set,
                effect: knob.effect,
                becomes: becomes.transpose()?,
            })
        });
        let knobs = knobs.collect::<Result<_, Mistake>>()?;
        let shapes = raw.shape.into_iter().map(|shape| {
            let place = shape.span().start;
            shape::read(shape.into_inner(), place)
                .map_err(|(offset, what)| at(offset, format!("`{id}`: {what}")))
        });
        read.push(Known {
            shapes: shapes.collect::<Result<_, _>>()?,
            many: raw.many,
            many_per_cpu: raw.many_per_cpu,
            whens,
            id,
            name: raw.name,
            level: raw.level,
            growing: raw.growing,
            touched: raw.touched,
            pool: raw.pool,
            meaning: raw.meaning,
            advice: raw.advice,
            knobs,
            source: raw.source,
        });
    }
    Ok(read)
}

/// A mistake by its offset in the text.
pub type Wrong = (usize, String);

fn when(raw: RawWhen, place: usize) -> Result<When, Wrong> {
    let when = When {
        confidence: confidence(&raw.confidence)?,
        call: raw.call.map(|call| match call {
            Call::Mmap => Origin::Map,
            Call::Mremap => Origin::Remap,
            Call::Brk => Origin::Break,
            Call::Shmat => Origin::Attach,
        }),
        frames: each(raw.frames, |text| words("frames", text))?,
        without_frames: each(raw.without_frames, |text| words("without_frames", text))?,
        caller: raw.caller.map(|text| words("caller", text)).transpose()?,
        runtime: raw.runtime.map(|text| words("runtime", text)).transpose()?,
        program: raw.program.map(|text| words("program", text)).transpose()?,
        thread: raw.thread.map(|text| words("thread", text)).transpose()?,
        requested: ranges("requested", raw.requested)?,
        settled: ranges("settled", raw.settled)?,
        accessible: ranges("accessible", raw.accessible)?,
        accessible_at: ranges("accessible_at", raw.accessible_at)?,
        aligned: raw.aligned.as_ref().map(alignment).transpose()?,
        protection: raw.protection.map(protection).transpose()?,
        flags: each(raw.flags, |text| flag("flags", text))?,
        without_flags: each(raw.without_flags, |text| flag("without_flags", text))?,
        name: raw.name.map(|text| words("name", text)).transpose()?,
    };
    // A runtime, a size or a flag alone is no evidence of who asked.
    let says_who = !when.frames.is_empty()
        || when.caller.is_some()
        || when.name.is_some()
        || when.flags.iter().any(|flag| flag == "SHARED")
        || when.call.is_some_and(|call| call != Origin::Map)
        || (when.requested.is_some() && when.settled.is_some());
    if !says_who {
        let what = "these conditions hold for anybody's memory: add frames, caller, name, or both \
                    requested and settled";
        return Err((place, what.into()));
    }
    Ok(when)
}

/// A confidence, checked.
pub fn confidence(value: &Spanned<f64>) -> Result<f64, Wrong> {
    let confidence = *value.get_ref();
    if confidence > 0.0 && confidence <= 1.0 {
        return Ok(confidence);
    }
    let what = format!("the confidence {confidence} is to be above 0 and at most 1");
    Err((value.span().start, what))
}

fn no_runtime() -> Spanned<String> {
    Spanned::new(0..0, String::new())
}

/// Each, checked.
pub fn each(
    texts: Vec<Spanned<String>>,
    read: impl Fn(Spanned<String>) -> Result<String, Wrong>,
) -> Result<Vec<String>, Wrong> {
    texts.into_iter().map(read).collect()
}

/// Words between `|`s. An empty one would hold for what has no name, and never for anything else.
pub fn words(key: &str, text: Spanned<String>) -> Result<String, Wrong> {
    if text.get_ref().split('|').any(|word| word.trim().is_empty()) {
        let what = format!(
            "`{key}` has an empty alternative in `{}`: take out the `|` too many",
            text.get_ref()
        );
        return Err((text.span().start, what));
    }
    Ok(text.into_inner())
}

/// `rw-`, also several with `|` between, and with `*`.
pub fn protection(text: Spanned<String>) -> Result<String, Wrong> {
    let place = text.span().start;
    let text = words("protection", text)?;
    let is_one = |word: &str| {
        let mut letters = word.chars().zip("rwx".chars());
        word.len() == 3 && letters.all(|(has, may)| has == may || has == '-')
    };
    let is_right = |word: &str| {
        if word.contains('*') {
            word.chars().all(|letter| "rwx-*".contains(letter))
        } else {
            is_one(word)
        }
    };
    match text.split('|').find(|word| !is_right(word)) {
        Some(word) => {
            let what = format!("`protection` has `{word}`: write it as in maps, `rw-` or `---`");
            Err((place, what))
        }
        None => Ok(text),
    }
}

fn flag(key: &str, text: Spanned<String>) -> Result<String, Wrong> {
    let known = mapping_words::flag_names();
    if known.clone().any(|name| name == text.get_ref()) {
        return Ok(text.into_inner());
    }
    let known: Vec<&str> = known.collect();
    let what = format!(
        "`{key}` has `{}`, which is no flag: write one of {}",
        text.get_ref(),
        known.join(", ")
    );
    Err((text.span().start, what))
}

/// Ranges of sizes; `None`: none was written.
pub fn ranges(key: &str, texts: Vec<Spanned<String>>) -> Result<Option<Ranges>, Wrong> {
    if texts.is_empty() {
        return Ok(None);
    }
    let read = texts.into_iter().map(|text| {
        let place = text.span().start;
        Range::read(text.get_ref()).map_err(|what| (place, format!("`{key}`: {what}")))
    });
    read.collect::<Result<_, _>>().map(|all| Some(Ranges(all)))
}

/// A power of two.
pub fn alignment(text: &Spanned<String>) -> Result<u64, Wrong> {
    let place = text.span().start;
    match size(text.get_ref()) {
        Ok(bytes) if bytes.is_power_of_two() => Ok(bytes),
        Ok(bytes) => Err((place, format!("`aligned` is {bytes}: no power of two"))),
        Err(what) => Err((place, format!("`aligned`: {what}"))),
    }
}
