//! What a kind of reservation looks like among a process's mappings, without any call seen: for
//! [`crate::explain`].
//!
//! The kernel merges neighbouring mappings that are alike, above all inaccessible ones: so a shape is not
//! sought as a mapping, but from its first accessible page (its *anchor*), whose distance from the
//! reservation's start and end is known.

use serde::Deserialize;
use toml::Spanned;

use super::format::{Wrong, alignment, confidence, each, protection, ranges, words};
use super::range::{Ranges, size};
use tracer_ledger::event::VmFlags;

/// Conditions, all of which are to hold; one that is left out always does.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// 0 to 1.
    pub confidence: f64,
    /// Words for the runtime and its version.
    pub runtime: Option<String>,
    /// Words for the name of the executable.
    pub program: Option<String>,
    /// The kernel's or the process's name of the mapping; left out: it has none.
    pub name: Option<String>,
    /// Start.
    pub at: Option<u64>,
    /// The start is below this.
    pub below: Option<u64>,
    /// The start is a multiple of this.
    pub aligned: Option<u64>,
    /// Inaccessible bytes before the anchor.
    pub before: Option<Ranges>,
    /// Protection of the anchor (`rw-`).
    pub lead: Option<String>,
    /// Protections of what else is accessible; of files, too.
    pub inside: Vec<String>,
    /// Bytes in all.
    pub size: Option<Ranges>,
    /// Whether the inaccessible bytes behind it are its own.
    pub rest: bool,
    /// A thread's stack pointer points into it.
    pub thread: bool,
    /// It touches the mapping of a file that lies before it.
    pub behind_file: bool,
    /// The kernel's flags of what is accessible (of the anchor, if that is not).
    pub vm_flags: Vec<String>,
    /// Flags that it has not.
    pub without_vm_flags: Vec<String>,
    /// The kernel's flags of what is inaccessible.
    pub rest_vm_flags: Vec<String>,
    /// Flags that this has not.
    pub without_rest_vm_flags: Vec<String>,
}

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawShape {
    confidence: Spanned<f64>,
    runtime: Option<Spanned<String>>,
    program: Option<Spanned<String>>,
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
pub fn read(raw: RawShape, place: usize) -> Result<Shape, Wrong> {
    let shape = Shape {
        confidence: confidence(&raw.confidence)?,
        runtime: raw.runtime.map(|text| words("runtime", text)).transpose()?,
        program: raw.program.map(|text| words("program", text)).transpose()?,
        name: raw.name.map(|text| words("name", text)).transpose()?,
        at: raw.at.as_ref().map(address).transpose()?,
        below: raw.below.as_ref().map(address).transpose()?,
        aligned: raw.aligned.as_ref().map(alignment).transpose()?,
        before: ranges("before", raw.before)?,
        lead: raw.lead.map(protection).transpose()?,
        inside: each(raw.inside, protection)?,
        size: ranges("size", raw.size)?,
        rest: raw.rest,
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

/// A hexadecimal address, or a size.
fn address(text: &Spanned<String>) -> Result<u64, Wrong> {
    let place = text.span().start;
    let value = match text.get_ref().strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16)
            .map_err(|_| format!("`{}` is no address", text.get_ref())),
        None => size(text.get_ref()),
    };
    value.map_err(|what| (place, what))
}

fn vm_flags(texts: Vec<Spanned<String>>) -> Result<Vec<String>, Wrong> {
    each(texts, |text| {
        let place = text.span().start;
        let flag = text.into_inner();
        if VmFlags::KNOWN.contains(&flag.as_str()) {
            return Ok(flag);
        }
        let known = VmFlags::KNOWN.join(", ");
        Err((
            place,
            format!("`{flag}` is none of the kernel's VmFlags that are looked at: {known}"),
        ))
    })
}
