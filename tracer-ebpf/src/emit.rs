//! Records into the ring. The slot is reserved first and the time taken after: so every record that
//! is not in the ring yet when the collector looks is younger than that look, and the collector
//! knows exactly up to when it has seen everything.

use aya_ebpf::{
    bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP, BPF_RINGBUF_HDR_SZ},
    helpers::{bpf_get_smp_processor_id, bpf_ktime_get_ns},
    macros::map,
    maps::{PerCpuArray, RingBuf},
};
use tracer_common::{
    account::{Accounted, Refused, Split},
    counters::{COUNTERS, Counter},
    file::{FileCall, Named},
    header::Header,
    kind::Kind,
    memory::{Call, Fault, LongCall, SampledFault, Turn},
    process::{Mapping, Process},
};

use crate::{filter::Traced, settings};

/// The way to the collector. Its size is set at load.
#[map]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(16 * 1024 * 1024, 0);

/// See [`tracer_common::counters`].
#[map]
static COUNTS: PerCpuArray<[u64; COUNTERS]> = PerCpuArray::with_max_entries(1, 0);

/// Adds one to a counter of this CPU.
#[inline(always)]
pub fn count(which: Counter) {
    count_at(which as usize);
}

/// A call of this kind has failed.
#[inline(always)]
pub fn count_failed(kind: Kind) {
    count_at(kind.failures());
}

#[inline(always)]
fn count_at(index: usize) {
    if let Some(counts) = COUNTS.get_ptr_mut(0) {
        // SAFETY: a value of this CPU's own, and `index` is a constant below its length.
        unsafe { (*counts)[index] += 1 };
    }
}

/// The header of a record, its time not yet set.
#[inline(always)]
pub fn header(kind: Kind, protection: u8, flags: u32, space: u64, who: Traced) -> Header {
    Header {
        kind: kind as u8,
        protection,
        // SAFETY: no arguments.
        cpu: unsafe { bpf_get_smp_processor_id() } as u16,
        flags,
        time_ns: 0,
        space,
        pid: who.pid,
        tid: who.tid,
    }
}

/// What begins with a [`Header`] and may be sent as it is.
///
/// # Safety
/// `repr(C)` plain data without padding, the header first.
pub unsafe trait Record: Copy + 'static {
    /// The collector is to look at it at once; else when there is more, or when it comes by itself.
    const URGENT: bool = true;
}
// SAFETY: layouts asserted in tracer-common.
unsafe impl Record for Call {
    const URGENT: bool = false;
}
// SAFETY: as above.
unsafe impl Record for LongCall {
    const URGENT: bool = false;
}
// SAFETY: as above.
unsafe impl Record for FileCall {
    const URGENT: bool = false;
}
// SAFETY: as above.
unsafe impl Record for Named {
    const URGENT: bool = false;
}
// SAFETY: as above.
unsafe impl Record for Fault {
    const URGENT: bool = false;
}
// SAFETY: as above.
unsafe impl Record for SampledFault {
    const URGENT: bool = false;
}
// SAFETY: as above.
unsafe impl Record for Process {}
// SAFETY: as above.
unsafe impl Record for Mapping {}
// SAFETY: as above.
unsafe impl Record for Accounted {}
// SAFETY: as above.
unsafe impl Record for Refused {}
// SAFETY: as above.
unsafe impl Record for Split {
    const URGENT: bool = false;
}

/// Sends a record, or counts its loss as `loss`.
#[inline(always)]
pub fn send<T: Record>(record: T, loss: Counter) {
    send_turn(record, loss, Turn::default());
}

/// Sends a record of a call that had this turn.
#[inline(always)]
pub fn send_turn<T: Record>(record: T, loss: Counter, turn: Turn) {
    let Some(mut slot) = EVENTS.reserve::<T>(0) else {
        count(loss);
        if turn.number != 0 {
            count(Counter::LostTurns);
        }
        return;
    };
    slot.write(record);
    // SAFETY: `T` begins with a header, which has just been written.
    unsafe { (*slot.as_mut_ptr().cast::<Header>()).time_ns = bpf_ktime_get_ns() };
    slot.submit(wake::<T>());
    count(Counter::Sent);
}

/// Whether the collector is woken for this record. To wake it costs more than all the rest of a record:
/// it is done when what waits in the ring grows past a multiple of so many bytes.
#[inline(always)]
fn wake<T: Record>() -> u64 {
    if T::URGENT {
        return 0;
    }
    let record = size_of::<T>() as u64 + u64::from(BPF_RINGBUF_HDR_SZ);
    let waiting = EVENTS.query(BPF_RB_AVAIL_DATA.into());
    if waiting & (settings::wake_bytes() - 1) < record {
        BPF_RB_FORCE_WAKEUP.into()
    } else {
        BPF_RB_NO_WAKEUP.into()
    }
}
