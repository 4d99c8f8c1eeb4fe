//! Unwinds a thread that something else has stopped: `unwind_stopped PID IP SP FP`, the registers in
//! hexadecimal. Prints how much is known, then each frame's address. `scripts/compare-with-gdb` holds it
//! against gdb.

use std::{fs::File, os::unix::fs::FileExt as _};

use anyhow::{Context as _, Result};
use tracer::stacks::{Copied, RawStack, Unwinder};
use tracer_common::stack::MAX_COPY;
use tracer_ledger::event::{Pid, SpaceId};

const PAGE: u64 = 4096;

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let mut word = |name| words.next().with_context(|| format!("{name} is missing"));
    let pid: u32 = word("PID")?.parse()?;
    let mut register = |name| Ok::<_, anyhow::Error>(u64::from_str_radix(&word(name)?, 16)?);
    let (ip, sp, fp) = (register("IP")?, register("SP")?, register("FP")?);

    // Page by page, as the kernel's programs do.
    let memory = File::open(format!("/proc/{pid}/mem"))?;
    let mut bytes = vec![0; MAX_COPY];
    let (mut at, mut missing, mut end) = (0, 0, 0);
    for page in 0..MAX_COPY as u64 / PAGE {
        let next = (((sp / PAGE) + page + 1) * PAGE - sp) as usize;
        match memory.read_exact_at(&mut bytes[at..next], sp + at as u64) {
            Ok(()) => end = next,
            Err(_) => missing |= 1 << page,
        }
        at = next;
    }
    let unwound = Unwinder::new().unwind(&RawStack {
        pid: Pid(pid),
        space: SpaceId(1),
        ip,
        sp,
        fp,
        kernel_frames: &[],
        copied: Copied {
            start: sp,
            bytes: &bytes[..end],
            missing,
        },
        other: None,
        flags: 0,
    });
    println!("{:?}", unwound.quality);
    for frame in unwound.frames {
        println!("{frame:x}");
    }
    Ok(())
}
