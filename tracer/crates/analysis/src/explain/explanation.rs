//! A process's mappings, explained.

use super::claims::{Claim, Snapshot, Taken, claims, evidence};
use super::model::{Explanation, Range, Recognised, SCHEMA};
use super::sentence;
use crate::model::summary::{Level, Limits, Pattern, Span};
use crate::patterns::Patterns;
use crate::verdict::harm::{Position, harms};
use crate::verdict::is_open;
use crate::words::calendar;
use crate::words::mapping_words;
use tracer_ledger::event::{Identity, Machine, Mapped, Started};

/// The most ranges of no known kind that are listed.
const UNKNOWN_RANGES: usize = 100;

/// What is not of the process's mappings.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Process id.
    pub pid: u32,
    /// What it is.
    pub identity: &'a Identity,
    /// Threads.
    pub threads: u64,
    /// The machine's memory and CPUs.
    pub machine: Machine,
    /// The machine, and the time.
    pub started: &'a Started,
}

/// Explains the mappings; `stack_pointers` ascending, as far as known.
#[must_use]
pub fn explain(
    about: &About<'_>,
    maps: &[Mapped],
    stack_pointers: &[u64],
    patterns: &Patterns,
) -> Explanation {
    let identity = about.identity;
    let snapshot = Snapshot {
        maps,
        runtime: identity.runtime.as_deref(),
        exe: &identity.exe,
        stack_pointers,
        has_threads: about.threads > 1 || stack_pointers.len() > 1,
    };
    let shapes = patterns.shapes();
    let (claims, taken) = claims(&snapshot, shapes.iter().map(|(_, shape)| *shape));
    let mut kinds: Vec<Recognised> = Vec::new();
    for claim in &claims {
        let (known, shape) = shapes[claim.shape];
        let mut found = evidence(shape, &snapshot);
        // One that is as large as another of its kind, of which more is known, is of the same make.
        let is_like = |other: &&Claim| {
            let (other_known, other_shape) = shapes[other.shape];
            other_known == known
                && other_shape.is_witnessed()
                && other.end - other.start == claim.end - claim.start
        };
        let alike = claims.iter().filter(is_like).count();
        let is_witnessed = shape.is_witnessed();
        if !is_witnessed && alike > 0 {
            found.push(format!("as large as {alike} of which more is known"));
        }
        let is_witnessed = is_witnessed || alike > 0;
        let pattern = patterns.seen(
            known,
            shape.confidence,
            found,
            is_witnessed,
            snapshot.runtime,
        );
        add(&mut kinds, &pattern, range(maps, claim));
    }
    for kind in &mut kinds {
        let ranges = kind.ranges.iter();
        let open = ranges.filter(|range| is_open(range.accessible_bytes, range.length));
        let cpus = u64::from(about.machine.cpus);
        if let Some(why) = patterns.too_many(&kind.pattern.id, open.count() as u64, cpus) {
            kind.pattern.evidence.push(why);
            kind.pattern.level = Level::Watch;
        }
    }
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.reserved_bytes));
    let mut unexplained = unexplained(maps, &taken);
    let unexplained_bytes = unexplained.iter().map(|range| range.length).sum();
    unexplained.sort_by_key(|range| std::cmp::Reverse(range.length));
    unexplained.truncate(UNKNOWN_RANGES);

    let ours = || maps.iter().filter(|one| !is_kernels(one));
    let sum = |figure: fn(&Mapped) -> u64| ours().map(figure).sum::<u64>();
    let mut explanation = Explanation {
        schema: SCHEMA.into(),
        tracer_version: about.started.tracer_version.clone(),
        host: about.started.into(),
        at: calendar::rfc3339(about.started.realtime_ns),
        pid: about.pid,
        comm: identity.comm.clone(),
        exe: identity.exe.clone(),
        cmdline: identity.cmdline.clone(),
        runtime: identity.runtime.clone(),
        threads: about.threads,
        virtual_bytes: sum(Mapped::length),
        accessible_bytes: sum(Mapped::accessible_bytes),
        resident_bytes: sum(|one| one.resident_bytes),
        swapped_bytes: sum(|one| one.swapped_bytes),
        charged_bytes: sum(Mapped::charged_bytes),
        limits: Limits::of(
            &identity.limits,
            &about.machine,
            Some(ours().count() as u64),
        ),
        explained_bytes: kinds.iter().map(|kind| kind.reserved_bytes).sum(),
        unexplained_bytes,
        kinds,
        unexplained,
        ..Explanation::default()
    };
    let now = |value| Span {
        start: value,
        peak: value,
        end: value,
    };
    explanation.harm = harms(
        &explanation.limits,
        &Position {
            virtual_bytes: now(explanation.virtual_bytes),
            resident: Some(now(explanation.resident_bytes)),
            mappings: explanation.limits.maps.map(|maps| (maps, maps)),
            ..Position::default()
        },
    );
    explanation.verdict = sentence::verdict(&explanation);
    explanation
}

/// A page of the kernel's that every process sees and `VmSize` does not count (gate_vma in
/// arch/x86/entry/vsyscall/vsyscall_64.c).
fn is_kernels(mapped: &Mapped) -> bool {
    mapped.mapping.name == "[vsyscall]"
}

fn add(kinds: &mut Vec<Recognised>, pattern: &Pattern, range: Range) {
    // What only looks like a kind is not counted with what is of it.
    let is_same =
        |kind: &Recognised| kind.pattern.id == pattern.id && kind.pattern.name == pattern.name;
    let index = kinds.iter().position(is_same);
    let index = index.unwrap_or_else(|| {
        kinds.push(Recognised {
            pattern: pattern.clone(),
            ..Recognised::default()
        });
        kinds.len() - 1
    });
    let kind = &mut kinds[index];
    // As sure as the least sure of them; the evidence of the surest.
    kind.pattern.confidence = kind.pattern.confidence.min(pattern.confidence);
    kind.count += 1;
    kind.reserved_bytes += range.length;
    kind.accessible_bytes += range.accessible_bytes;
    kind.resident_bytes += range.resident_bytes;
    kind.swapped_bytes += range.swapped_bytes;
    kind.charged_bytes += range.charged_bytes;
    kind.ranges.push(range);
}

fn range(maps: &[Mapped], claim: &Claim) -> Range {
    let first = maps.partition_point(|one| one.mapping.end.0 <= claim.start);
    let mut range = Range {
        start: claim.start,
        length: claim.end - claim.start,
        ..Range::default()
    };
    let mut most = 0;
    for mapped in maps[first..]
        .iter()
        .take_while(|one| one.mapping.start.0 < claim.end)
    {
        let mapping = &mapped.mapping;
        let from = mapping.start.0.max(claim.start);
        let part = mapping.end.0.min(claim.end) - from;
        range.taken_apart |= part < mapped.length();
        if mapping.protection != 0 {
            range.accessible_bytes += part;
        }
        if mapped.charged_bytes() > 0 {
            range.charged_bytes += part;
        }
        // Of a mapping that begins here: so that none counts twice.
        if from == mapping.start.0 {
            range.resident_bytes += mapped.resident_bytes;
            range.swapped_bytes += mapped.swapped_bytes;
        }
        if part > most {
            most = part;
            range.protection = mapping_words::protection(mapping.protection);
        }
        if range.name.is_empty() {
            range.name.clone_from(&mapping.name);
        }
    }
    range
}

fn unexplained(maps: &[Mapped], taken: &Taken) -> Vec<Range> {
    let mut ranges = Vec::new();
    for mapped in maps.iter().filter(|one| !is_kernels(one)) {
        for (start, end) in taken.free(mapped.mapping.start.0, mapped.mapping.end.0) {
            ranges.push(range(
                maps,
                &Claim {
                    shape: 0,
                    start,
                    end,
                },
            ));
        }
    }
    ranges
}
