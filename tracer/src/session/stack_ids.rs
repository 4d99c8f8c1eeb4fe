//! Stacks of a live trace: unwound when they arrive, given an id, named on a thread of their own while
//! the process is alive.

use std::{collections::HashMap, ops::Range, path::Path, sync::Arc};

use tracer_common::{
    bits::PROT_EXEC,
    stack::{BY_RULE, RuleKey},
};

use super::{
    code_changes::{CodeChange, Made},
    learned::{Learned, passes_any},
};
use crate::{
    capture::inode::{Device, Inode},
    capture::programs::Programs,
    stacks::{CodeMapping, Copied, Namer, RawStack, Unwinder},
};
use tracer_ledger::event::{
    File, Incomplete, Learning, Nanoseconds, Sent, SpaceId, StackId, StackQuality, Stamp,
    record::{RawMapping, RawStack as Record, StackWord},
};

/// What tells one stack from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct StackKey {
    space: SpaceId,
    quality: StackQuality,
    frames: Arc<[u64]>,
}

/// What a hash stands for.
#[derive(Clone, Copy, Debug)]
struct Meaning {
    id: StackId,
    /// From then on the code of a frame was another: what the kernel sent before it knew means nothing.
    until: Option<Nanoseconds>,
}

/// Ids of stacks, by every way an event can name one.
pub(crate) struct StackIds {
    unwinder: Unwinder,
    namer: Namer,
    ids: HashMap<StackKey, StackId>,
    /// Ids given out.
    given: u32,
    verified: HashMap<u64, Meaning>,
    learned: Learned,
    tickets: HashMap<u64, StackId>,
    /// When most are known.
    settled: Nanoseconds,
    learning: Learning,
}

impl StackIds {
    /// No stacks yet; `namer` will name them. The trace began at `started`.
    #[must_use]
    pub(crate) fn new(namer: Namer, started: Nanoseconds) -> Self {
        Self {
            unwinder: Unwinder::new(),
            namer,
            ids: HashMap::new(),
            given: 0,
            verified: HashMap::new(),
            learned: Learned::default(),
            tickets: HashMap::new(),
            settled: Nanoseconds(started.0.saturating_add(Learning::SETTLED_NS)),
            learning: Learning::default(),
        }
    }

    /// Gets to know files that processes are likely to have; `program` is about to be started.
    pub(crate) fn know(&mut self, program: Option<&Path>) {
        self.unwinder.know(program);
    }

    /// A file that was mapped.
    pub(crate) fn file(&mut self, file: &File) {
        let inode = Inode {
            device: Device::of_kernel(file.device),
            number: file.inode,
        };
        self.unwinder.told(inode, &file.path);
    }

    /// A stack came whole: unwinds it, gives it an id, and tells the kernel what it may send shorter
    /// from now on. Returns why it is not complete, if it is new and that is not known yet.
    pub(crate) fn arrived(
        &mut self,
        record: &Record,
        programs: &mut Programs,
    ) -> Option<Incomplete> {
        if let Some(id) = self.known(record) {
            self.tickets.insert(record.ticket, id);
            // The table may have had to give it up.
            self.learned.again(record.hash, programs);
            return None;
        }
        let mut unwound = self.unwinder.unwind(&RawStack {
            pid: record.stamp.pid,
            space: record.stamp.space,
            ip: record.ip,
            sp: record.sp,
            fp: record.fp,
            kernel_frames: &record.frames,
            copied: Copied {
                start: record.sp,
                bytes: &record.copied,
                missing: record.missing,
            },
            other: record.other.as_ref().map(|other| Copied {
                start: other.sp,
                bytes: &other.copied,
                missing: other.missing,
            }),
            flags: record.flags,
        });
        let space = record.stamp.space;
        let frames: Arc<[u64]> = unwound.frames.as_slice().into();
        let key = StackKey {
            space,
            quality: unwound.quality,
            frames: Arc::clone(&frames),
        };
        let agrees = unwound.agrees_with_kernel;
        let rules = std::mem::take(&mut unwound.rules);
        let mut incomplete = None;
        let id = *self.ids.entry(key).or_insert_with(|| {
            self.given += 1;
            let id = StackId(self.given);
            incomplete = unwound.incomplete.take().map(|(cause, module)| Incomplete {
                stack: id,
                cause,
                module,
            });
            let stamp = record.stamp;
            self.namer.name(id, stamp.pid, space, stamp.time, unwound);
            id
        });
        self.tickets.insert(record.ticket, id);
        let code = record.code;
        if agrees {
            let hash = record.hash;
            self.verified.insert(hash, Meaning { id, until: None });
            self.learned.verified(space, code, hash, frames, programs);
            return incomplete;
        }
        for (ip, rule) in rules {
            let key = RuleKey { code, ip };
            self.learned.rule(space, key, rule, programs);
        }
        incomplete
    }

    /// A stack that was sent whole while an earlier one like it was on its way, as most of a burst are: the
    /// kernel's frames, for which it would have sent the id by now. So it does not matter how much was
    /// copied.
    fn known(&self, record: &Record) -> Option<StackId> {
        let meaning = self.verified.get(&record.hash)?;
        let frames = self
            .learned
            .frames(record.stamp.space, record.code, record.hash)?;
        let kernels = record.frames.iter().map(|frame| frame & !BY_RULE);
        frames
            .iter()
            .copied()
            .eq(std::iter::once(record.ip).chain(kernels))
            .then_some(meaning.id)
    }

    /// The id that the stack word of an event stands for that took effect at `time`. A ticket is good for
    /// one event.
    pub(crate) fn resolve(
        &mut self,
        word: StackWord,
        space: SpaceId,
        time: Nanoseconds,
    ) -> StackId {
        let one = match word {
            StackWord::None => Sent::default(),
            StackWord::Verified(_) => Sent { known: 1, whole: 0 },
            StackWord::Ticket(_) => Sent { known: 0, whole: 1 },
        };
        self.learning.all.add(one);
        if time >= self.settled {
            self.learning.settled.add(one);
        }
        match word {
            StackWord::None => None,
            StackWord::Verified(hash) => self
                .verified
                .get(&hash)
                .filter(|meaning| meaning.until.is_none_or(|until| time <= until))
                .filter(|_| !self.learned.has_left(space, hash, time))
                .map(|meaning| meaning.id),
            StackWord::Ticket(ticket) => self.tickets.remove(&ticket),
        }
        .unwrap_or(StackId::NONE)
    }

    /// A child was made, which the kernel knows by `key`: it has its parent's code.
    pub(crate) fn forked(
        &mut self,
        parent: SpaceId,
        child: SpaceId,
        key: Option<u64>,
        programs: &mut Programs,
    ) {
        if parent != child {
            self.unwinder.forked(parent, child);
            self.learned.forked(parent, child, key, programs);
        }
    }

    /// A call may have put other functions at addresses where code was known: what was learned of them, and
    /// every stack that passes through them, must be learned again. A runtime maps and protects its own code
    /// all the time: that has no rules, so that only what is unmapped, or mapped anew, is looked at. `key`
    /// asks for the kernel's name for the address space.
    pub(crate) fn code_changed(
        &mut self,
        space: SpaceId,
        key: impl Fn() -> Option<u64>,
        change: &CodeChange,
        programs: &mut Programs,
    ) {
        let mut replaced = false;
        for range in &change.replaced {
            if self.unwinder.knows_code_in(space, range, false) {
                self.forget_range(space, key(), range, change.time, programs);
                replaced = true;
            }
        }
        if let Some(range) = &change.protected
            && self.unwinder.knows_code_in(space, range, true)
        {
            self.forget_range(space, key(), range, change.time, programs);
        }
        match change.made {
            Made::Moved if replaced => self.unwinder.modules_changed(space),
            Made::Moved | Made::AtRunTime => self.unwinder.code_made(space),
            // Code of a file is told by a record of its own, with the file: see `mapped`.
            Made::OfFile | Made::Nothing => {}
        }
    }

    /// A call has mapped a file's code.
    pub(crate) fn mapped(&mut self, mapping: &RawMapping) {
        let space = mapping.stamp.space;
        if mapping.mapping.inode == 0 {
            // The kernel's programs could not find out which.
            self.unwinder.modules_changed(space);
        } else {
            let pid = mapping.stamp.pid;
            self.unwinder.mapped(pid, space, &code_mapping(mapping));
        }
    }

    /// A program begins with these mappings, of which those of code are all told, or none. `key`: the kernel's
    /// name for its address space.
    pub(crate) fn begun(
        &mut self,
        began: Stamp,
        key: Option<u64>,
        mappings: &[RawMapping],
        programs: &mut Programs,
    ) {
        let Stamp {
            pid, space, time, ..
        } = began;
        self.learned.begun(space, key, time, programs);
        let is_code = |found: &&RawMapping| found.mapping.protection & PROT_EXEC != 0;
        let code: Vec<_> = mappings.iter().filter(is_code).map(code_mapping).collect();
        self.unwinder.begun(pid, space, &code);
    }

    fn forget_range(
        &mut self,
        space: SpaceId,
        key: Option<u64>,
        range: &Range<u64>,
        time: Nanoseconds,
        programs: &mut Programs,
    ) {
        self.unwinder.forget_range(space, range);
        let ranges = std::slice::from_ref(range);
        self.forget_ids(space, ranges);
        let retired = self.learned.code_changed(space, key, range, time, programs);
        self.mean_nothing(&retired, time);
    }

    /// Code made at run time has another name: stacks that pass through it are to be named again.
    pub(crate) fn renamed(
        &mut self,
        space: SpaceId,
        ranges: &[Range<u64>],
        since: Nanoseconds,
        programs: &mut Programs,
    ) {
        self.forget_ids(space, ranges);
        let retired = self.learned.retire(space, ranges, programs);
        self.mean_nothing(&retired, since);
    }

    fn forget_ids(&mut self, space: SpaceId, ranges: &[Range<u64>]) {
        self.ids
            .retain(|key, _| key.space != space || !passes_any(&key.frames, ranges));
    }

    fn mean_nothing(&mut self, hashes: &[u64], since: Nanoseconds) {
        for hash in hashes {
            if let Some(meaning) = self.verified.get_mut(hash) {
                meaning.until = Some(since);
            }
        }
    }

    /// Calls were lost: whatever was known of any code may have changed. (Hashes that are under way keep their
    /// meaning: from when on another would be right, nobody knows.) `key` asks for the kernel's name for an
    /// address space.
    pub(crate) fn doubt(&mut self, key: impl Fn(SpaceId) -> Option<u64>, programs: &mut Programs) {
        for space in self.learned.spaces() {
            self.unwinder.modules_changed(space);
        }
        self.learned.doubt(key, programs);
        self.ids.clear();
    }

    /// An address space has ended, or its number begins anew: nothing that was learned in it holds.
    pub(crate) fn forget(&mut self, space: SpaceId, programs: &mut Programs) {
        self.unwinder.forget(space);
        self.namer.ended(space);
        for hash in self.learned.forget(space, programs) {
            self.verified.remove(&hash);
        }
        self.ids.retain(|key, _| key.space != space);
    }

    /// How stacks came so far, and what the kernel holds to send them short.
    #[must_use]
    pub(crate) fn learning(&self, programs: &Programs) -> Learning {
        self.learned.told(self.learning, programs)
    }

    /// No more stacks will come: waits until those that came have names.
    pub(crate) fn finish(self) {
        if !self.namer.finish() {
            log::error!("naming the stacks failed: some call sites have no names");
        }
    }
}

fn code_mapping(found: &RawMapping) -> CodeMapping {
    let RawMapping {
        mapping, device, ..
    } = found;
    CodeMapping {
        range: mapping.start.0..mapping.end.0,
        offset: mapping.offset,
        file: Inode {
            device: Device::of_kernel(*device),
            number: mapping.inode,
        },
        is_vdso: mapping.name == "[vdso]",
    }
}
