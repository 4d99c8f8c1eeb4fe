//! Stacks of a live trace: unwound when they arrive, given an id, named on a thread of their own while
//! the process is alive.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Range,
    sync::Arc,
};

use tracer_common::stack::RuleKey;

use super::live::code::{CodeChange, Made};
use crate::{
    capture::programs::Programs,
    event::{
        Nanoseconds, SpaceId, StackId, StackQuality,
        record::{RawStack as Record, StackWord},
    },
    stacks::{Namer, RawStack, Unwinder},
};

/// What tells one stack from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    space: SpaceId,
    quality: StackQuality,
    frames: Arc<[u64]>,
}

impl Key {
    /// Whether a frame lies in this range. (A return address may be the end of its function's code.)
    fn passes(&self, range: &Range<u64>) -> bool {
        let mut frames = self.frames.iter();
        frames.any(|frame| (range.start..=range.end).contains(frame))
    }

    fn passes_any(&self, ranges: &[Range<u64>]) -> bool {
        ranges.iter().any(|range| self.passes(range))
    }
}

/// What a hash stands for.
#[derive(Clone, Copy, Debug)]
struct Meaning {
    id: StackId,
    /// From then on the code of a frame was another: what the kernel sent before it knew means nothing.
    until: Option<Nanoseconds>,
}

/// Ids of stacks, by every way an event can name one.
pub struct Stacks {
    unwinder: Unwinder,
    namer: Namer,
    ids: HashMap<Key, StackId>,
    /// Ids given out.
    given: u32,
    verified: HashMap<u64, Meaning>,
    /// What was handed to the kernel for an address space, to be taken back at its end.
    handed: HashMap<SpaceId, Handed>,
    tickets: HashMap<u64, StackId>,
}

#[derive(Default)]
struct Handed {
    hashes: HashMap<u64, Key>,
    /// Hashes that were taken back.
    retired: Vec<u64>,
    /// By address.
    rules: BTreeMap<u64, RuleKey>,
}

impl Stacks {
    /// No stacks yet; `namer` will name them.
    #[must_use]
    pub fn new(namer: Namer) -> Self {
        Self {
            unwinder: Unwinder::new(),
            namer,
            ids: HashMap::new(),
            given: 0,
            verified: HashMap::new(),
            handed: HashMap::new(),
            tickets: HashMap::new(),
        }
    }

    /// A stack came whole: unwinds it, gives it an id, and tells the kernel what it may send shorter
    /// from now on.
    pub fn arrived(&mut self, record: &Record, programs: &mut Programs) {
        let mut unwound = self.unwinder.unwind(&RawStack {
            pid: record.stamp.pid,
            space: record.stamp.space,
            ip: record.ip,
            sp: record.sp,
            fp: record.fp,
            kernel_frames: &record.frames,
            copied: &record.copied,
            flags: record.flags,
        });
        let space = record.stamp.space;
        let key = Key {
            space,
            quality: unwound.quality,
            frames: unwound.frames.as_slice().into(),
        };
        let agrees = unwound.agrees_with_kernel;
        let rules = std::mem::take(&mut unwound.rules);
        let id = *self.ids.entry(key.clone()).or_insert_with(|| {
            self.given += 1;
            let id = StackId(self.given);
            let stamp = record.stamp;
            self.namer.name(id, stamp.pid, space, stamp.time, unwound);
            id
        });
        self.tickets.insert(record.ticket, id);
        let handed = self.handed.entry(space).or_default();
        if agrees {
            let meaning = Meaning { id, until: None };
            self.verified.insert(record.hash, meaning);
            if handed.hashes.insert(record.hash, key).is_none() {
                programs.verified(record.hash);
            }
            return;
        }
        for (ip, rule) in rules {
            let key = RuleKey {
                space: record.space_key,
                ip,
            };
            if handed.rules.insert(ip, key).is_none() {
                programs.learned(key, rule);
            }
        }
    }

    /// The id that the stack word of an event stands for that took effect at `time`. A ticket is good for one
    /// event.
    pub fn resolve(&mut self, word: StackWord, time: Nanoseconds) -> StackId {
        match word {
            StackWord::None => None,
            StackWord::Verified(hash) => self
                .verified
                .get(&hash)
                .filter(|meaning| meaning.until.is_none_or(|until| time <= until))
                .map(|meaning| meaning.id),
            StackWord::Ticket(ticket) => self.tickets.remove(&ticket),
        }
        .unwrap_or(StackId::NONE)
    }

    /// A child was made: it has its parent's code.
    pub fn forked(&mut self, parent: SpaceId, child: SpaceId) {
        if parent != child {
            self.unwinder.forked(parent, child);
        }
    }

    /// A call may have put other functions at addresses where code was known: what was learned of them, and
    /// every stack that passes through them, must be learned again. A runtime maps and protects its own code
    /// all the time: that has no rules, so that only what is unmapped, or mapped anew, is looked at.
    pub fn code_changed(&mut self, space: SpaceId, change: &CodeChange, programs: &mut Programs) {
        for range in &change.replaced {
            if self.unwinder.knows_code_in(space, range, false) {
                self.forget_range(space, range, change.time, programs);
            }
        }
        if let Some(range) = &change.protected
            && self.unwinder.knows_code_in(space, range, true)
        {
            self.forget_range(space, range, change.time, programs);
        }
        match change.made {
            Made::OfFile => self.unwinder.modules_changed(space),
            Made::AtRunTime => self.unwinder.code_made(space),
            Made::Nothing => {}
        }
    }

    /// Code made at run time has another name: stacks that pass through it are to be named again.
    pub fn renamed(
        &mut self,
        space: SpaceId,
        ranges: &[Range<u64>],
        since: Nanoseconds,
        programs: &mut Programs,
    ) {
        self.ids
            .retain(|key, _| key.space != space || !key.passes_any(ranges));
        self.retire(space, ranges, since, programs);
    }

    fn forget_range(
        &mut self,
        space: SpaceId,
        range: &Range<u64>,
        time: Nanoseconds,
        programs: &mut Programs,
    ) {
        self.unwinder.forget_range(space, range);
        self.ids
            .retain(|key, _| key.space != space || !key.passes(range));
        let Some(handed) = self.handed.get_mut(&space) else {
            return;
        };
        let rules = handed.rules.range(range.start..=range.end);
        let ips: Vec<u64> = rules.map(|(&ip, _)| ip).collect();
        for key in ips.iter().filter_map(|ip| handed.rules.remove(ip)) {
            programs.unlearn(key);
        }
        self.retire(space, std::slice::from_ref(range), time, programs);
    }

    /// Takes back the hashes of all stacks that pass through these addresses.
    fn retire(
        &mut self,
        space: SpaceId,
        ranges: &[Range<u64>],
        since: Nanoseconds,
        programs: &mut Programs,
    ) {
        let Some(handed) = self.handed.get_mut(&space) else {
            return;
        };
        let taken = handed.hashes.extract_if(|_, key| key.passes_any(ranges));
        for (hash, _) in taken {
            programs.unverify(hash);
            if let Some(meaning) = self.verified.get_mut(&hash) {
                meaning.until = Some(since);
            }
            handed.retired.push(hash);
        }
    }

    /// Calls were lost: whatever was known of any code may have changed. (Hashes that are under way keep their
    /// meaning: from when on another would be right, nobody knows.)
    pub fn doubt(&mut self, programs: &mut Programs) {
        let spaces: Vec<SpaceId> = self.handed.keys().copied().collect();
        for space in spaces {
            self.unwinder.modules_changed(space);
            self.take_back(space, programs);
        }
    }

    /// An address space has ended, or its number begins anew: nothing that was learned in it holds.
    pub fn forget(&mut self, space: SpaceId, programs: &mut Programs) {
        self.unwinder.forget(space);
        self.namer.ended(space);
        for hash in self.take_back(space, programs) {
            self.verified.remove(&hash);
        }
    }

    /// Takes back from the kernel what it was handed for an address space; returns the hashes.
    fn take_back(&mut self, space: SpaceId, programs: &mut Programs) -> HashSet<u64> {
        let Some(handed) = self.handed.remove(&space) else {
            return HashSet::new();
        };
        for hash in handed.hashes.keys() {
            programs.unverify(*hash);
        }
        for key in handed.rules.into_values() {
            programs.unlearn(key);
        }
        self.ids.retain(|key, _| key.space != space);
        let hashes = handed.hashes.into_keys();
        hashes.chain(handed.retired).collect()
    }

    /// No more stacks will come: waits until those that came have names.
    pub fn finish(self) {
        if !self.namer.finish() {
            log::error!("naming the stacks failed: some call sites have no names");
        }
    }
}
