//! Which bytes are whose: shapes laid over the mappings, the surest first; what one has taken no other
//! gets.

use crate::patterns::words::{file_name, matches};
use crate::patterns::{Shape, SizeRanges};
use crate::words::units::bytes;
use tracer_ledger::event::Mapped;

/// A mapping beyond this is not taken apart: that so many lie side by side is less likely than that it is
/// something else, bytes.
const MERGED_MOST: u64 = 1 << 30;

/// A process as its mappings show it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Snapshot<'a> {
    /// Ascending, without overlap.
    pub maps: &'a [Mapped],
    /// Runtime and version.
    pub runtime: Option<&'a str>,
    /// Path of the executable.
    pub exe: &'a str,
    /// Where the stacks of threads are, as far as known; ascending.
    pub stack_pointers: &'a [u64],
    /// It has, or had a moment ago, more than one thread.
    pub has_threads: bool,
}

impl Snapshot<'_> {
    /// A file with such a name whose code is mapped.
    fn module(&self, words: &str) -> Option<&str> {
        let code = self.maps.iter().map(|one| &one.mapping);
        let code = code.filter(|mapping| mapping.inode != 0 && mapping.protection & 4 != 0);
        code.map(|mapping| file_name(&mapping.name))
            .find(|name| matches(words, name))
    }
}

/// A range that has a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which of the shapes.
    pub shape: usize,
    /// First address.
    pub start: u64,
    /// One past the last.
    pub end: u64,
}

/// Bytes that are taken already: ascending, without overlap.
#[derive(Debug, Default)]
pub struct Taken(std::collections::BTreeMap<u64, u64>);

impl Taken {
    fn is_free(&self, start: u64, end: u64) -> bool {
        let before = self.0.range(..end).next_back();
        before.is_none_or(|(_, &taken)| taken <= start)
    }

    fn take(&mut self, start: u64, end: u64) {
        self.0.insert(start, end);
    }

    /// The parts of a range that are free.
    pub fn free(&self, start: u64, end: u64) -> Vec<(u64, u64)> {
        let mut parts = Vec::new();
        let mut at = start;
        let first = self
            .0
            .range(..start)
            .next_back()
            .map_or(start, |(&at, _)| at);
        for (&from, &to) in self.0.range(first..end) {
            if to <= at {
                continue;
            }
            if from > at {
                parts.push((at, from));
            }
            at = at.max(to);
        }
        if at < end {
            parts.push((at, end));
        }
        parts
    }
}

/// Lays the shapes over the mappings, in their order.
pub fn claims<'a>(
    snapshot: &Snapshot<'_>,
    shapes: impl IntoIterator<Item = &'a Shape>,
) -> (Vec<Claim>, Taken) {
    let mut taken = Taken::default();
    let mut claims = Vec::new();
    for (index, shape) in shapes.into_iter().enumerate() {
        if !fits_process(shape, snapshot) {
            continue;
        }
        for place in 0..snapshot.maps.len() {
            for anchor in anchors(shape, snapshot.maps, place) {
                let found = lay(shape, snapshot, place, anchor, &taken);
                let found = found.filter(|(start, end)| {
                    taken.is_free(*start, *end)
                        && (shape.is_witnessed() || is_whole(snapshot.maps, *start, *end))
                });
                if let Some((start, end)) = found {
                    taken.take(start, end);
                    claims.push(Claim {
                        shape: index,
                        start,
                        end,
                    });
                }
            }
        }
    }
    claims.sort_by_key(|claim| claim.start);
    (claims, taken)
}

/// Whether mappings begin and end where a range does. What is cut out of a mapping may be cut anywhere: a shape alone
/// finds itself in any large reservation.
fn is_whole(maps: &[Mapped], start: u64, end: u64) -> bool {
    let first = maps.partition_point(|one| one.mapping.end.0 <= start);
    let last = maps.partition_point(|one| one.mapping.end.0 < end);
    let begins = maps
        .get(first)
        .is_some_and(|one| one.mapping.start.0 == start);
    begins && maps.get(last).is_some_and(|one| one.mapping.end.0 == end)
}

/// What a shape says, in words, of one that has it.
pub fn evidence(shape: &Shape, snapshot: &Snapshot<'_>) -> Vec<String> {
    let mut evidence = Vec::new();
    if shape.runtime.is_some() {
        evidence.extend(
            snapshot
                .runtime
                .map(|runtime| format!("the process runs {runtime}")),
        );
    }
    if shape.program.is_some() {
        evidence.push(format!("the program is {}", file_name(snapshot.exe)));
    }
    if let Some(module) = shape
        .module
        .as_ref()
        .and_then(|words| snapshot.module(words))
    {
        evidence.push(format!("{module} is loaded"));
    }
    if let Some(name) = &shape.name {
        evidence.push(format!("named {name}"));
    }
    if let Some(at) = shape.at {
        evidence.push(format!("at {at:#x}"));
    }
    if let Some(size) = shape.size.as_ref().and_then(SizeRanges::exact) {
        evidence.push(format!("{} in all", bytes(size)));
    }
    if let Some(before) = shape.before.as_ref().and_then(SizeRanges::exact) {
        evidence.push(format!("accessible from {} on", bytes(before)));
    } else if shape.before.is_some() {
        evidence.push("a guard page below it".into());
    }
    if let Some(aligned) = shape.aligned {
        evidence.push(format!("aligned to {}", bytes(aligned)));
    }
    if shape.threads {
        evidence.push("the process has threads".into());
    }
    if shape.thread {
        evidence.push("a thread's stack pointer points into it".into());
    }
    if shape.behind_file {
        evidence.push("right behind a file's mapping".into());
    }
    if !shape.vm_flags.is_empty() {
        evidence.push(format!("VmFlags {}", shape.vm_flags.join(" ")));
    }
    evidence
}

fn fits_process(shape: &Shape, snapshot: &Snapshot<'_>) -> bool {
    let runtime = shape.runtime.as_ref().is_none_or(|words| {
        snapshot
            .runtime
            .is_some_and(|runtime| matches(words, runtime))
    });
    let program = shape.program.as_ref();
    let module = shape.module.as_ref();
    runtime
        && (!shape.threads || snapshot.has_threads)
        && program.is_none_or(|words| matches(words, file_name(snapshot.exe)))
        && module.is_none_or(|words| snapshot.module(words).is_some())
}

/// Addresses within a mapping at which a shape's accessible part may begin.
fn anchors(shape: &Shape, maps: &[Mapped], place: usize) -> Vec<u64> {
    let mapped = &maps[place];
    let start = mapped.mapping.start.0;
    let is_led = shape
        .lead
        .as_deref()
        .is_none_or(|lead| matches(lead, word(mapped)));
    let is_named = match &shape.name {
        Some(words) => matches(words, &mapped.mapping.name),
        None => mapped.is_unnamed(),
    };
    if !is_led || !is_named || !has_flags(shape, mapped) {
        return Vec::new();
    }
    let size = shape.size.as_ref().and_then(SizeRanges::exact);
    match (shape.aligned, &shape.before, size) {
        // Full reservations that lie side by side are one mapping, and the last of them is not full: each
        // begins at a multiple. Without that last one it may be anybody's.
        (Some(aligned), None, Some(size)) if mapped.length() > size => {
            let has_last = maps.get(place + 1).is_some_and(|next| {
                next.mapping.start == mapped.mapping.end && next.mapping.protection == 0
            });
            if !has_last || mapped.length() > MERGED_MOST {
                return Vec::new();
            }
            let first = start.next_multiple_of(aligned);
            let step = usize::try_from(aligned).unwrap_or(usize::MAX);
            (first..mapped.mapping.end.0).step_by(step).collect()
        }
        _ => vec![start],
    }
}

/// The range that the shape takes from this anchor, if it fits.
fn lay(
    shape: &Shape,
    snapshot: &Snapshot<'_>,
    place: usize,
    anchor: u64,
    taken: &Taken,
) -> Option<(u64, u64)> {
    let maps = snapshot.maps;
    let start = match &shape.before {
        None => anchor,
        Some(before) => match before.exact() {
            Some(bytes) => anchor.checked_sub(bytes)?,
            None => {
                let guard = &maps[place.checked_sub(1)?];
                let touches = guard.mapping.end.0 == anchor && guard.mapping.protection == 0;
                let fits = before.hold((guard.length(), guard.length()));
                (touches && fits).then_some(guard.mapping.start.0)?
            }
        },
    };
    if start < anchor && !is_covered(shape, maps, place, start, anchor, false) {
        return None;
    }
    let exact = shape.size.as_ref().and_then(SizeRanges::exact);
    let end = match exact {
        Some(size) => start.checked_add(size)?,
        None if shape.rest => behind(shape, maps, place, taken),
        None => maps[place].mapping.end.0,
    };
    if exact.is_some() && !is_covered(shape, maps, place, anchor, end, true) {
        return None;
    }
    let size = end - start;
    let is_sized = shape
        .size
        .as_ref()
        .is_none_or(|sizes| sizes.hold((size, size)));
    let is_placed = shape.at.is_none_or(|at| at == start)
        && shape.below.is_none_or(|below| start < below)
        && shape
            .aligned
            .is_none_or(|aligned| start.is_multiple_of(aligned));
    let holds_thread = || {
        let next = snapshot
            .stack_pointers
            .partition_point(|pointer| *pointer < start);
        snapshot
            .stack_pointers
            .get(next)
            .is_some_and(|pointer| *pointer < end)
    };
    let follows_file = || {
        place.checked_sub(1).is_some_and(|before| {
            let before = &maps[before].mapping;
            before.end.0 == start && before.inode != 0
        })
    };
    let fits = is_sized
        && is_placed
        && (!shape.thread || holds_thread())
        && (!shape.behind_file || follows_file());
    fits.then_some((start, end))
}

/// Whether all of a range around `place` is mapped, and is what the shape may contain.
fn is_covered(
    shape: &Shape,
    maps: &[Mapped],
    place: usize,
    start: u64,
    end: u64,
    accessible: bool,
) -> bool {
    // To the mapping in which the range begins.
    let mut first = place;
    while maps[first].mapping.start.0 > start {
        let Some(before) = first.checked_sub(1) else {
            return false;
        };
        first = before;
    }
    let mut at = start;
    for mapped in &maps[first..] {
        if at >= end {
            break;
        }
        if mapped.mapping.start.0 > at || mapped.mapping.end.0 <= at {
            return false;
        }
        if !may_contain(shape, mapped, accessible) {
            return false;
        }
        at = mapped.mapping.end.0;
    }
    at >= end
}

/// To the end of what may belong to a shape of unknown size: what is accessible, then what is not.
fn behind(shape: &Shape, maps: &[Mapped], place: usize, taken: &Taken) -> u64 {
    let mut end = maps[place].mapping.end.0;
    let mut inaccessible = maps[place].mapping.protection == 0;
    for mapped in &maps[place + 1..] {
        let touches = mapped.mapping.start.0 == end;
        let is_next = if mapped.mapping.protection == 0 {
            inaccessible = true;
            true
        } else {
            !inaccessible
        };
        if !touches || !is_next || !may_contain(shape, mapped, true) {
            break;
        }
        // What another has taken of it ends it.
        let free = taken.free(mapped.mapping.start.0, mapped.mapping.end.0);
        match free.first() {
            Some(&(from, to)) if from == mapped.mapping.start.0 => end = to,
            _ => break,
        }
        if end < mapped.mapping.end.0 {
            break;
        }
    }
    end
}

fn may_contain(shape: &Shape, mapped: &Mapped, accessible: bool) -> bool {
    let has = |flag: &String| mapped.flags.has(flag);
    if mapped.mapping.protection == 0 {
        return mapped.is_unnamed()
            && shape.rest_vm_flags.iter().all(has)
            && !shape.without_rest_vm_flags.iter().any(has);
    }
    let word = word(mapped);
    let is_known = shape
        .lead
        .iter()
        .chain(&shape.inside)
        .any(|words| matches(words, word));
    accessible && is_known && (mapped.mapping.inode != 0 || has_flags(shape, mapped))
}

fn has_flags(shape: &Shape, mapped: &Mapped) -> bool {
    let has = |flag: &String| mapped.flags.has(flag);
    let is_shared = mapped.mapping.shared && !shape.vm_flags.iter().any(|flag| flag == "sh");
    (shape.name.is_some() || !is_shared)
        && shape.vm_flags.iter().all(has)
        && !shape.without_vm_flags.iter().any(has)
}

/// `rw-`.
fn word(mapped: &Mapped) -> &'static str {
    const WORDS: [&str; 8] = ["---", "r--", "-w-", "rw-", "--x", "r-x", "-wx", "rwx"];
    WORDS[usize::from(mapped.mapping.protection & 7)]
}
