//! Shapes over mappings that are written down here, as a kernel showed them.

use super::{About, Explanation, explain};
use crate::model::summary::Level;
use crate::patterns::known;
use tracer_ledger::event::{Address, Identity, Machine, Mapped, Mapping, Started, VmFlags};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Consecutive mappings from an address on: length, protection, flags.
fn maps(start: u64, pieces: &[(u64, &str, &str)]) -> Vec<Mapped> {
    let mut at = start;
    let mut maps = Vec::new();
    for (length, protection, flags) in pieces {
        let bit = |letter: char, bit: u8| if protection.contains(letter) { bit } else { 0 };
        maps.push(Mapped {
            mapping: Mapping {
                start: Address(at),
                end: Address(at + length),
                protection: bit('r', 1) | bit('w', 2) | bit('x', 4),
                ..Mapping::default()
            },
            flags: flags.split(' ').collect::<VmFlags>(),
            ..Mapped::default()
        });
        at += length;
    }
    maps
}

fn explained(runtime: &str, maps: &[Mapped], stack_pointers: &[u64]) -> Explanation {
    explained_of(1, runtime, maps, stack_pointers)
}

/// Of a process of so many threads.
fn explained_of(
    threads: u64,
    runtime: &str,
    maps: &[Mapped],
    stack_pointers: &[u64],
) -> Explanation {
    let patterns = known::patterns();
    let identity = Identity {
        runtime: Some(runtime.into()),
        ..Identity::default()
    };
    let about = About {
        pid: 1,
        identity: &identity,
        threads,
        machine: Machine {
            cpus: 2,
            ..Machine::default()
        },
        started: &Started::default(),
    };
    let seen = explain(&about, maps, stack_pointers, &patterns);
    assert_eq!(
        seen.explained_bytes + seen.unexplained_bytes,
        seen.virtual_bytes
    );
    seen
}

/// The code of a file, far from all else: its last mapping, a page long.
fn with_module(mut maps: Vec<Mapped>, path: &str) -> Vec<Mapped> {
    let mapping = Mapping {
        start: Address(0x7fff_0000_0000),
        end: Address(0x7fff_0000_1000),
        protection: 5,
        name: path.into(),
        inode: 7,
        ..Mapping::default()
    };
    maps.push(Mapped {
        mapping,
        ..Mapped::default()
    });
    maps
}

/// The kind, its name, how sure, and whether there is a knob, of the first that is of it.
fn told(seen: &Explanation, id: &str) -> Option<(String, f64, bool)> {
    let kind = seen.kinds.iter().find(|kind| kind.pattern.id == id)?;
    let pattern = &kind.pattern;
    Some((
        pattern.name.clone(),
        pattern.confidence,
        pattern.knob.is_some(),
    ))
}

fn count(seen: &Explanation, id: &str) -> u64 {
    let kind = seen.kinds.iter().find(|kind| kind.pattern.id == id);
    kind.map_or(0, |kind| kind.count)
}

#[test]
fn cages_side_by_side_are_taken_apart() {
    // The kernel shows 2, 8 + 2 and 8 GiB.
    let maps = maps(
        0x7f61_c000_0000,
        &[
            (2 * GIB, "---", "nr dc"),
            (MIB / 8, "rw-", "nr dc"),
            (10 * GIB - MIB / 8, "---", "nr dc"),
            (MIB / 8, "rw-", "nr dc"),
            (8 * GIB - MIB / 8, "---", "nr dc"),
        ],
    );
    let seen = explained("node v22.22.0", &maps, &[]);
    assert_eq!(count(&seen, "v8-wasm-memory"), 2);
    assert_eq!(seen.unexplained_bytes, 0);
    assert!(
        seen.kinds[0]
            .ranges
            .iter()
            .all(|range| range.length == 10 * GIB && range.taken_apart)
    );
    assert_eq!(seen.kinds[0].accessible_bytes, MIB / 4);
}

#[test]
fn near_misses_are_no_cages() {
    let cage = |before: u64, behind: u64, flags| {
        maps(
            0x7f61_c000_0000,
            &[
                (before, "---", flags),
                (MIB, "rw-", flags),
                (behind, "---", flags),
            ],
        )
    };
    let is_one =
        |runtime: &str, maps: &[Mapped]| count(&explained(runtime, maps, &[]), "v8-wasm-memory");
    let right = cage(2 * GIB, 8 * GIB - MIB, "nr dc");
    assert_eq!(is_one("node v22.22.0", &right), 1);
    assert_eq!(is_one("python 3.11", &right), 0);
    // A page too few behind, too few before, and without what V8 says of its memory.
    assert_eq!(
        is_one("node v22.22.0", &cage(2 * GIB, 8 * GIB - 2 * MIB, "nr dc")),
        0
    );
    assert_eq!(
        is_one("node v22.22.0", &cage(GIB, 7 * GIB - MIB, "nr dc")),
        0
    );
    assert_eq!(
        is_one("node v22.22.0", &cage(2 * GIB, 8 * GIB - MIB, "nr")),
        0
    );
}

#[test]
fn arenas_are_found_also_where_a_full_one_has_become_one_with_the_next() {
    let maps = maps(
        0x7f66_e800_0000,
        &[
            (65 * MIB, "rw-", "nr"),
            (63 * MIB, "---", "nr"),
            (MIB, "rw-", "nr"),
            (63 * MIB, "---", "nr"),
        ],
    );
    let maps = with_module(maps, "/lib/libc.so.6");
    let seen = explained_of(2, "python 3.11", &maps, &[]);
    assert_eq!(count(&seen, "glibc-arena"), 3);
    assert_eq!(seen.unexplained_bytes, 0);
    // Of what has one thread, the full one is cut out of a mapping by its shape alone.
    let seen = explained("python 3.11", &maps, &[]);
    assert_eq!(count(&seen, "glibc-arena"), 1);
}

#[test]
fn what_has_the_shape_of_arenas_only_looks_like_them_without_threads() {
    let pieces: Vec<_> = (0..8)
        .flat_map(|_| [(48 * MIB, "rw-", "nr"), (16 * MIB, "---", "nr")])
        .collect();
    let maps = with_module(maps(0x7f66_e800_0000, &pieces), "/lib/libc.so.6");
    let told = |threads| told(&explained_of(threads, "", &maps, &[]), "glibc-arena").unwrap();
    assert_eq!(
        told(1),
        ("looks like glibc malloc arena".into(), 0.7, false)
    );
    assert_eq!(told(2), ("glibc malloc arena".into(), 0.9, true));
    assert_eq!(explained("", &maps, &[]).verdict.level, Level::Unknown);
}

#[test]
fn what_looks_like_another_programs_memories_is_not_cut_out_of_a_reservation() {
    // 16 GiB, 128 KiB of them accessible 2 GiB behind the first 64 KiB that are.
    let maps = maps(
        0x7f61_c000_0000,
        &[
            (GIB, "---", "nr"),
            (64 << 10, "rw-", "nr"),
            (2 * GIB - (64 << 10), "---", "nr"),
            (128 << 10, "rw-", "nr"),
            (13 * GIB - (128 << 10), "---", "nr"),
        ],
    );
    let seen = explained("", &maps, &[]);
    assert!(seen.kinds.is_empty(), "{:?}", seen.kinds);
    // With the module of those who reserve so, it may be theirs.
    let theirs = with_module(maps, "/usr/lib/libwasmtime.so");
    let seen = explained("", &theirs, &[]);
    assert_eq!(
        told(&seen, "wasmtime-memory"),
        Some(("wasmtime WebAssembly memory".into(), 0.9, true))
    );
}

#[test]
fn a_wasmtime_memory_of_its_own_mappings_looks_like_one() {
    let maps = maps(
        0x7f61_c000_0000,
        &[
            (32 * MIB, "---", "nr"),
            (MIB / 8, "rw-", "nr"),
            (4_362_076_160 - 32 * MIB - MIB / 8, "---", "nr"),
        ],
    );
    let seen = explained("", &maps, &[]);
    assert_eq!(
        told(&seen, "wasmtime-memory"),
        Some(("looks like wasmtime WebAssembly memory".into(), 0.7, false))
    );
}

#[test]
fn what_cannot_be_taken_back_is_no_mapped_file() {
    for (flags, id) in [
        ("", "file-mapping"),
        ("sh", "file-mapping"),
        ("sh lo", "locked-memory"),
        ("sh ht", "huge-page-pool"),
    ] {
        let mut maps = maps(0x7f61_c000_0000, &[(64 * MIB, "rw-", flags)]);
        maps[0].mapping.name = "/srv/data".into();
        maps[0].mapping.inode = 9;
        maps[0].mapping.shared = flags.contains("sh");
        let seen = explained("", &maps, &[]);
        assert_eq!(count(&seen, id), 1, "{flags}: {:?}", seen.kinds);
    }
}

#[test]
fn a_large_mapping_is_no_row_of_full_arenas() {
    // An arena of Bun's mimalloc.
    let maps = maps(0x3793_d800_0000, &[(GIB, "rw-", "nr")]);
    let seen = explained("python 3.11", &maps, &[]);
    assert_eq!(count(&seen, "glibc-arena"), 0);
    assert_eq!(seen.unexplained_bytes, GIB);
}

#[test]
fn more_arenas_than_malloc_makes_are_to_be_watched() {
    let pieces: Vec<_> = (0..17)
        .flat_map(|_| [(MIB, "rw-", "nr"), (63 * MIB, "---", "nr")])
        .collect();
    let level = |arenas: usize| {
        let maps = maps(0x7f66_e800_0000, &pieces[..2 * arenas]);
        let maps = with_module(maps, "/lib/libc.so.6");
        let seen = explained_of(9, "python 3.11", &maps, &[]);
        assert_eq!(count(&seen, "glibc-arena"), arenas as u64);
        seen.verdict.level
    };
    assert_eq!(level(16), Level::Benign);
    assert_eq!(level(17), Level::Watch);
}

#[test]
fn a_stack_is_surer_where_a_thread_is_on_it() {
    let start = 0x7f67_1d21_8000;
    let maps = maps(start, &[(4096, "---", ""), (8 * MIB, "rw-", "ac")]);
    let confidence = |pointers: &[u64]| {
        let seen = explained("python 3.11", &maps, pointers);
        assert_eq!(count(&seen, "thread-stack"), 1);
        seen.kinds[0].pattern.confidence
    };
    assert!(confidence(&[start + MIB]) > confidence(&[]));
    assert!(confidence(&[start + 9 * MIB]) < 0.9);
}

#[test]
fn memory_of_no_known_kind_is_no_verdict() {
    let maps = maps(0x7f67_1d21_8000, &[(8 * GIB, "rw-", "ac")]);
    let seen = explained("python 3.11", &maps, &[]);
    assert_eq!(seen.unexplained_bytes, 8 * GIB);
    assert_eq!(seen.charged_bytes, 8 * GIB);
    assert_eq!(seen.verdict.level, Level::Unknown);
}
