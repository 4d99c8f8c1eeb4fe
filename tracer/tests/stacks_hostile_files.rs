//! Files belong to the target: whatever is in them, reading them neither panics nor hangs.
#![cfg(target_arch = "x86_64")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "fixtures/compiled.rs"]
mod compiled;

use std::sync::LazyLock;

use proptest::prelude::*;
use tracer::stacks::arch::{Registers, Walker, module};
use tracer::stacks::cfi::Cfi;
use tracer::stacks::exit::Exit;
use tracer::stacks::perf_names::{CodeNames, Written};
use tracer::stacks::{layout, open, runtime_names};
use tracer_ledger::event::Nanoseconds;

static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let flags = ["-O2", "-shared", "-fPIC", "-g0", "-Wl,--build-id"];
    std::fs::read(compiled::compile("gaps.c", "hostile.so", &flags)).unwrap()
});

/// Does with a file all that is done with one.
fn use_file(bytes: &[u8]) -> usize {
    let file = open::unnamed("hostile", bytes).unwrap();
    let Some((layout, tables)) = layout::read(&file) else {
        return 0;
    };
    let _ = layout::exported(&file);
    let cfi = Cfi::new(tables);
    let base = 0x7f00_0000_0000;
    let range = base..base + 0x10_0000;
    let module = module("hostile", range, base, layout.base, cfi.tables());
    let mut walker = Walker::new(std::iter::once(module));
    let mut known = 0;
    for address in (0..0x3000).step_by(3) {
        let exit = cfi.exit(address);
        known += usize::from(exit != Exit::Unknown);
        let registers = Registers {
            ip: base + address,
            sp: 0x7ffe_0000,
            fp: 0x7ffe_0100,
        };
        let _ = cfi.step(address, registers, &mut |at| Some(at.wrapping_mul(3)));
        if let Exit::Plain(_) = exit {
            let _ = walker.step(registers, true, &mut |at| Some(at.wrapping_mul(3)));
        }
        let _ = walker.step_by_frame_pointer(registers, &mut |at| Some(at));
    }
    known
}

#[test]
fn the_sound_file_is_understood() {
    assert!(use_file(&SOUND) > 10);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_file_with_any_bytes_changed_is_survived(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let mut bytes = SOUND.clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        use_file(&bytes);
    }

    #[test]
    fn a_file_with_strange_tables_is_survived(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let (_, tables) = layout::read(&open::unnamed("sound", &SOUND).unwrap()).unwrap();
        let table = tables.eh_frame.unwrap().data;
        let begin = SOUND.windows(table.len()).position(|bytes| bytes == &*table).unwrap();
        // The index lies right before the table.
        let mut bytes = SOUND.clone();
        for (at, byte) in changes {
            bytes[begin - 128 + at.index(table.len() + 128)] = byte;
        }
        use_file(&bytes);
    }

    #[test]
    fn a_file_cut_anywhere_is_survived(length in any::<prop::sample::Index>()) {
        use_file(&SOUND[..length.index(SOUND.len())]);
    }

    #[test]
    fn any_line_of_a_perf_map_is_survived(
        lines in prop::collection::vec("[0-9a-fx]{0,17} ?[0-9a-fx]{0,17} ?(JS|py|Script)?:?[~^+*:/ a%0-9\\PC]{0,30}", 0..30),
        address in any::<u64>(),
    ) {
        let mut names = CodeNames::default();
        for (time, line) in (0..).map(Nanoseconds).zip(&lines) {
            let written = Written { after: time, by: time };
            names.add_line(line.as_bytes(), written);
            let _ = runtime_names::frame(line);
        }
        let _ = names.find(address, Nanoseconds(address % 8));
    }
}
