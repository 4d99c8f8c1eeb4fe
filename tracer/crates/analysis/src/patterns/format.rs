//! The text that patterns are written in: TOML, strict. What is not known there is a mistake, so that a
//! condition spelled wrongly is not one that is never asked.

use serde::Deserialize;
use toml::Spanned;

use super::condition::When;
use super::fields::{
    Wrong, address, alignment, confidence, each, flag, protection, ranges, versions, vm_flags,
    words,
};
use super::kind::{Becomes, Knob, KnownKind, TableRow};
use super::range::size;
use super::shape::Shape;
use crate::model::summary::Level;
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
    exchanges_with: Option<String>,
    row: Option<RawRow>,
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
struct RawRow {
    name: String,
    functions: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKnob {
    #[serde(default = "no_runtime")]
    runtime: Spanned<String>,
    #[serde(default = "no_runtime")]
    module: Spanned<String>,
    #[serde(default)]
    version: Vec<Spanned<String>>,
    set: String,
    effect: String,
    becomes: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWhen {
    confidence: Spanned<f64>,
    #[serde(default)]
    guess: bool,
    call: Option<Call>,
    #[serde(default)]
    frames: Vec<Spanned<String>>,
    #[serde(default)]
    without_frames: Vec<Spanned<String>>,
    caller: Option<Spanned<String>>,
    module: Option<Spanned<String>>,
    runtime: Option<Spanned<String>>,
    program: Option<Spanned<String>>,
    thread: Option<Spanned<String>>,
    #[serde(default)]
    requested: Vec<Spanned<String>>,
    #[serde(default)]
    settled: Vec<Spanned<String>>,
    #[serde(default)]
    mostly: Vec<Spanned<String>>,
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
pub fn read(text: &str) -> Result<Vec<KnownKind>, Mistake> {
    let at = |offset: usize, what: String| Mistake::at(text, offset, what);
    let file: File = toml_text::read(text)?;
    let mut read: Vec<KnownKind> = Vec::new();
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
        let knobs = raw
            .knob
            .into_iter()
            .map(|knob| self::knob(knob, &id).map_err(|(offset, what)| at(offset, what)));
        let knobs = knobs.collect::<Result<_, _>>()?;
        let shapes = raw.shape.into_iter().map(|shape| {
            let place = shape.span().start;
            self::shape(shape.into_inner(), place)
                .map_err(|(offset, what)| at(offset, format!("`{id}`: {what}")))
        });
        let row = raw.row.map(|row| {
            Ok(TableRow {
                name: row.name,
                functions: each(row.functions, |text| words("functions", text))?,
            })
        });
        let row = row.transpose();
        let row = row.map_err(|(offset, what)| at(offset, format!("`{id}`: {what}")))?;
        read.push(KnownKind {
            row,
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
            exchanges_with: raw.exchanges_with,
            meaning: raw.meaning,
            advice: raw.advice,
            knobs,
            source: raw.source,
        });
    }
    Ok(read)
}

fn knob(raw: RawKnob, id: &str) -> Result<Knob, Wrong> {
    let of_kind = |(offset, what)| (offset, format!("`{id}`: {what}"));
    // Without a runtime or a module it is everybody's.
    let of = |key: &str, text: Spanned<String>| {
        if text.get_ref().is_empty() {
            return Ok(String::new());
        }
        words(key, text).map_err(of_kind)
    };
    let runtime = of("runtime", raw.runtime)?;
    let module = of("module", raw.module)?;
    let versions = versions(raw.version).map_err(of_kind)?;
    let becomes = raw.becomes.map(|text| becomes(&text));
    Ok(Knob {
        runtime,
        module,
        versions,
        set: raw.set,
        effect: raw.effect,
        becomes: becomes.transpose()?,
    })
}

fn when(raw: RawWhen, place: usize) -> Result<When, Wrong> {
    let when = When {
        confidence: confidence(&raw.confidence)?,
        guess: raw.guess,
        call: raw.call.map(|call| match call {
            Call::Mmap => Origin::Map,
            Call::Mremap => Origin::Remap,
            Call::Brk => Origin::Break,
            Call::Shmat => Origin::Attach,
        }),
        frames: each(raw.frames, |text| words("frames", text))?,
        without_frames: each(raw.without_frames, |text| words("without_frames", text))?,
        caller: raw.caller.map(|text| words("caller", text)).transpose()?,
        module: raw.module.map(|text| words("module", text)).transpose()?,
        runtime: raw.runtime.map(|text| words("runtime", text)).transpose()?,
        program: raw.program.map(|text| words("program", text)).transpose()?,
        thread: raw.thread.map(|text| words("thread", text)).transpose()?,
        requested: ranges("requested", raw.requested)?,
        settled: ranges("settled", raw.settled)?,
        mostly: ranges("mostly", raw.mostly)?,
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
        || (when.requested.is_some() && when.settled.is_some())
        || (when.runtime.is_some() && when.mostly.is_some());
    if !says_who {
        let what = "these conditions hold for anybody's memory: add frames, caller, name, both \
                    requested and settled, or both runtime and mostly";
        return Err((place, what.into()));
    }
    Ok(when)
}

/// A size, or what is left: `1/32`.
fn becomes(text: &Spanned<String>) -> Result<Becomes, Wrong> {
    let wrong = |what| (text.span().start, what);
    match text.get_ref().strip_prefix("1/") {
        None => size(text.get_ref()).map(Becomes::Bytes).map_err(wrong),
        Some(parts) => match parts.parse() {
            Ok(parts) if parts > 0 => Ok(Becomes::OneOf(parts)),
            _ => Err(wrong(format!(
                "`{}` is no part: write 1/32",
                text.get_ref()
            ))),
        },
    }
}

fn no_runtime() -> Spanned<String> {
    Spanned::new(0..0, String::new())
}

/// A shape, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawShape {
    confidence: Spanned<f64>,
    runtime: Option<Spanned<String>>,
    program: Option<Spanned<String>>,
    module: Option<Spanned<String>>,
    name: Option<Spanned<String>>,
    at: Option<Spanned<String>>,
    below: Option<Spanned<String>>,
    aligned: Option<Spanned<String>>,
    #[serde(default)]
    before: Vec<Spanned<String>>,
    lead: Option<Spanned<String>>,
    #[serde(default)]
    inside: Vec<Spanned<String>>,
    #[serde(default)]
    size: Vec<Spanned<String>>,
    #[serde(default)]
    rest: bool,
    #[serde(default)]
    threads: bool,
    #[serde(default)]
    thread: bool,
    #[serde(default)]
    behind_file: bool,
    #[serde(default)]
    vm_flags: Vec<Spanned<String>>,
    #[serde(default)]
    without_vm_flags: Vec<Spanned<String>>,
    #[serde(default)]
    rest_vm_flags: Vec<Spanned<String>>,
    #[serde(default)]
    without_rest_vm_flags: Vec<Spanned<String>>,
}

/// Checks a shape; `place` is where it begins in the text.
fn shape(raw: RawShape, place: usize) -> Result<Shape, Wrong> {
    let shape = Shape {
        confidence: confidence(&raw.confidence)?,
        runtime: raw.runtime.map(|text| words("runtime", text)).transpose()?,
        program: raw.program.map(|text| words("program", text)).transpose()?,
        module: raw.module.map(|text| words("module", text)).transpose()?,
        name: raw.name.map(|text| words("name", text)).transpose()?,
        at: raw.at.as_ref().map(address).transpose()?,
        below: raw.below.as_ref().map(address).transpose()?,
        aligned: raw.aligned.as_ref().map(alignment).transpose()?,
        before: ranges("before", raw.before)?,
        lead: raw.lead.map(protection).transpose()?,
        inside: each(raw.inside, protection)?,
        size: ranges("size", raw.size)?,
        rest: raw.rest,
        threads: raw.threads,
        thread: raw.thread,
        behind_file: raw.behind_file,
        vm_flags: vm_flags(raw.vm_flags)?,
        without_vm_flags: vm_flags(raw.without_vm_flags)?,
        rest_vm_flags: vm_flags(raw.rest_vm_flags)?,
        without_rest_vm_flags: vm_flags(raw.without_rest_vm_flags)?,
    };
    let says_what = shape.name.is_some()
        || shape.thread
        || shape.at.is_some()
        || shape.behind_file
        || (shape.lead.is_some() && (shape.size.is_some() || shape.before.is_some()));
    if !says_what {
        let what = "this shape is that of anybody's memory: add name, at, thread, or lead with size or before";
        return Err((place, what.into()));
    }
    Ok(shape)
}
