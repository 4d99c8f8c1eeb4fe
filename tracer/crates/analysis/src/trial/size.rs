//! The size to put where a knob has a placeholder: room for twice of what is used, and less than there is.

use super::knob::PLACEHOLDERS;
use crate::model::summary::{Kind, Process};
use crate::words::units::bytes;

/// No runtime begins with less.
const LEAST: u64 = 64 << 20;
const MIB: u64 = 1 << 20;

/// Options whose size is what is reserved then: of all that the kind has (`true`), or of each reservation.
const RESERVES: [(&str, bool); 7] = [
    // https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html
    ("-Xmx", true),
    ("-XX:CompressedClassSpaceSize=", true),
    ("-XX:ReservedCodeCacheSize=", true),
    // https://www.graalvm.org/latest/reference-manual/native-image/optimizations-and-performance/MemoryManagement/
    ("-XX:ReservedAddressSpaceSize=", true),
    // http://www.sbcl.org/manual/#Runtime-Options
    ("--dynamic-space-size", true),
    // https://downloads.haskell.org/ghc/latest/docs/users_guide/runtime_control.html
    ("-xr", true),
    // https://docs.wasmtime.dev/api/wasmtime/struct.Config.html#method.memory_reservation
    ("memory-reservation=", false),
];

/// A size for a knob's placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Bytes.
    pub(super) size: u64,
    /// The process's mapped bytes then, all else the same; `None`: not known.
    pub(super) predicted_virtual_bytes: Option<u64>,
}

/// Chooses a size for these words of a knob; `None`: nothing in them is to be chosen.
///
/// # Errors
/// There is none that would change something and leave room, or nobody knows.
pub(super) fn choose(
    words: &[&str],
    process: &Process,
    kind: Option<&Kind>,
) -> Result<Option<Chosen>, String> {
    if !words.iter().any(|word| placeholder(word).is_some()) {
        return Ok(None);
    }
    let kind = kind.ok_or("which size is to be set is not known: choose one, --knob")?;
    let of_kind = process
        .sites
        .iter()
        .filter(|site| kind.sites.contains(&site.id));
    let used: Option<u64> = of_kind
        .map(|site| site.touched_bytes.max(site.resident_bytes))
        .sum();
    let used = used.ok_or("how much of it is used is not known: choose a size, --knob")?;
    let reserves = RESERVES.iter().find(|(option, _)| {
        let is_it = |word: &&str| word.starts_with(option);
        words.iter().any(is_it)
    });
    let of_all = reserves.is_none_or(|(_, of_all)| *of_all);
    let parts = if of_all { 1 } else { kind.live.max(1) };
    let reserved = kind.reserved_bytes / parts;
    let size = (used / parts)
        .saturating_mul(2)
        .max(LEAST)
        .next_power_of_two();
    if size >= reserved {
        return Err(format!(
            "{} of the {} that it reserves are used: no smaller size leaves room",
            bytes(used),
            bytes(kind.reserved_bytes)
        ));
    }
    let rest = process
        .virtual_at_work()
        .end
        .saturating_sub(kind.reserved_bytes);
    Ok(Some(Chosen {
        size,
        predicted_virtual_bytes: reserves.map(|_| rest + size * parts),
    }))
}

/// The word with the size in the place of its placeholder.
pub(super) fn filled(word: &str, before: Option<&str>, size: u64) -> String {
    let Some(placeholder) = placeholder(word) else {
        return word.into();
    };
    let stem = &word[..word.len() - placeholder.len()];
    let mib = size / MIB;
    let number = match placeholder {
        "BYTES" => size.to_string(),
        "KIB" => (size / 1024).to_string(),
        "MIB" | "MB" => mib.to_string(),
        "GIB" => size.div_ceil(1 << 30).to_string(),
        // Go takes no bare letter, SBCL no letter alone either.
        _ if stem.starts_with("GOMEMLIMIT") => format!("{mib}MiB"),
        _ if [before.unwrap_or(""), stem]
            .iter()
            .any(|word| word.contains("dynamic-space")) =>
        {
            format!("{mib}MB")
        }
        _ => format!("{mib}m"),
    };
    format!("{stem}{number}")
}

/// What is to be replaced at the end of a word; a longer word in capitals is a name.
fn placeholder(word: &str) -> Option<&'static str> {
    PLACEHOLDERS.into_iter().find(|placeholder| {
        word.strip_suffix(placeholder)
            .is_some_and(|stem| !stem.ends_with(|c: char| c.is_ascii_uppercase() || c == '_'))
    })
}
