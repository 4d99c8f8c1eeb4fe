//! What stands behind a key of a pattern, checked, with the place of a mistake in it.

use toml::Spanned;

use super::range::{Range, Ranges, size};
use super::versions::{Versions, requirement};
use crate::words::mapping_words;
use tracer_ledger::event::VmFlags;

/// A mistake by its offset in the text.
pub type Wrong = (usize, String);

/// A confidence, checked.
pub fn confidence(value: &Spanned<f64>) -> Result<f64, Wrong> {
    let confidence = *value.get_ref();
    if confidence > 0.0 && confidence <= 1.0 {
        return Ok(confidence);
    }
    let what = format!("the confidence {confidence} is to be above 0 and at most 1");
    Err((value.span().start, what))
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

/// The name of a `MAP_*` flag.
pub fn flag(key: &str, text: Spanned<String>) -> Result<String, Wrong> {
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

/// Versions of a runtime.
pub fn versions(texts: Vec<Spanned<String>>) -> Result<Versions, Wrong> {
    let read = texts.into_iter().map(|text| {
        let place = text.span().start;
        requirement(text.get_ref()).map_err(|what| (place, format!("`version`: {what}")))
    });
    read.collect::<Result<_, _>>().map(Versions)
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

/// A hexadecimal address, or a size.
pub fn address(text: &Spanned<String>) -> Result<u64, Wrong> {
    let place = text.span().start;
    let value = match text.get_ref().strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16)
            .map_err(|_| format!("`{}` is no address", text.get_ref())),
        None => size(text.get_ref()),
    };
    value.map_err(|what| (place, what))
}

/// Names of the kernel's flags of mappings.
pub fn vm_flags(texts: Vec<Spanned<String>>) -> Result<Vec<String>, Wrong> {
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
