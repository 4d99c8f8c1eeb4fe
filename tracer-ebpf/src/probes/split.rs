//! Calls that acquire nothing and make more mappings of those that there were, up to `vm.max_map_count`.

use tracer_common::{account::Split, counters::Counter, kind::Kind};

use super::Finished;
use crate::emit;

/// Tells of a call after which its address space has more mappings than it ever had before.
#[inline(always)]
pub fn tell(call: &Finished) {
    let before = call.taken.most_mappings;
    let mappings = call.mm.mappings();
    if call.taken.turn.number == 0 || mappings <= before {
        return;
    }
    let stack = call.stack();
    let more = (mappings - before) as u32;
    emit::send(
        Split {
            header: emit::header(Kind::Split, 0, more, call.mm.identity(), call.who),
            stack,
            mappings,
        },
        Counter::LostStacks,
    );
}
