//! What the kernel was handed of the code of address spaces, to be taken back when it holds no longer.
//!
//! Copies made by fork have the same code, and so share all that is known of it, until the code of one of
//! them changes: that one goes its own way.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
};

use tracer_common::stack::{Rule, RuleKey};

use crate::capture::programs::Programs;
use tracer_ledger::event::{Learning, Nanoseconds, SpaceId};

#[derive(Debug, Default)]
pub(crate) struct Learned {
    members: HashMap<SpaceId, Member>,
    families: HashMap<u32, Family>,
    /// Numbers given to families.
    given: u32,
    rules: u64,
    hashes: u64,
    /// The most of both at a time.
    most: (u64, u64),
}

/// An address space.
#[derive(Clone, Copy, Debug)]
struct Member {
    family: u32,
    /// When it left another family.
    since: Option<Nanoseconds>,
}

/// Address spaces with the same code.
#[derive(Debug, Default)]
struct Family {
    members: usize,
    /// What stands for their code in the kernel; `None`: no stack has told yet.
    code: Option<u64>,
    /// Known stacks by their hash, each with its frames.
    hashes: HashMap<u64, Arc<[u64]>>,
    /// Hashes that were taken back.
    retired: Vec<u64>,
    rules: BTreeMap<u64, RuleKey>,
}

/// Whether one of these frames lies in one of the ranges. (A return address may be the end of its function's
/// code.)
pub(crate) fn passes_any(frames: &[u64], ranges: &[Range<u64>]) -> bool {
    let concerns = |ip: &u64| {
        ranges
            .iter()
            .any(|range| (range.start..=range.end).contains(ip))
    };
    frames.iter().any(concerns)
}

impl Learned {
    /// A copy was made; `key` is the kernel's name for it.
    pub(crate) fn forked(
        &mut self,
        parent: SpaceId,
        child: SpaceId,
        key: Option<u64>,
        programs: &mut Programs,
    ) {
        self.forget(child, programs);
        let number = self.number_of(parent);
        let family = self.families.entry(number).or_default();
        // The kernel has seen to it already, unless the parent's code has changed meanwhile.
        if let (Some(code), Some(key)) = (family.code, key)
            && !programs.set_code(key, code)
        {
            return;
        }
        family.members += 1;
        let member = Member {
            family: number,
            since: None,
        };
        self.members.insert(child, member);
    }

    /// A new program begins in an address space that the kernel knows by `key`. By that name it knew another
    /// before, perhaps, whose copies are still alive and go by it.
    pub(crate) fn begun(
        &mut self,
        space: SpaceId,
        key: Option<u64>,
        time: Nanoseconds,
        programs: &mut Programs,
    ) {
        if key.is_some_and(|key| self.is_code(key)) {
            self.leave(space, key, Some(time), programs);
        }
    }

    /// Whether this stands for the code of address spaces that are known.
    fn is_code(&self, code: u64) -> bool {
        let mut families = self.families.values();
        families.any(|family| family.code == Some(code))
    }

    /// A stack with this hash and these frames is known.
    pub(crate) fn verified(
        &mut self,
        space: SpaceId,
        code: u64,
        hash: u64,
        frames: Arc<[u64]>,
        programs: &mut Programs,
    ) {
        let Some(family) = self.family(space, code) else {
            return;
        };
        family.hashes.insert(hash, frames);
        self.again(hash, programs);
    }

    /// A stack that is known came whole all the same.
    pub(crate) fn again(&mut self, hash: u64, programs: &mut Programs) {
        self.hashes += u64::from(programs.verified(hash));
        self.most.1 = self.most.1.max(self.hashes);
    }

    /// The frames of a known stack.
    #[must_use]
    pub(crate) fn frames(&self, space: SpaceId, code: u64, hash: u64) -> Option<&[u64]> {
        let family = self.families.get(&self.members.get(&space)?.family)?;
        let is_its_code = family.code == Some(code);
        is_its_code.then(|| family.hashes.get(&hash).map(AsRef::as_ref))?
    }

    /// Whether an event of this time with this hash comes from a space that had left those whose hash it is.
    #[must_use]
    pub(crate) fn has_left(&self, space: SpaceId, hash: u64, time: Nanoseconds) -> bool {
        let left = |member: &&Member| member.since.is_some_and(|since| time > since);
        let Some(member) = self.members.get(&space).filter(left) else {
            return false;
        };
        let own = self.families.get(&member.family);
        !own.is_some_and(|own| own.hashes.contains_key(&hash) || own.retired.contains(&hash))
    }

    /// The rule for an address is known.
    pub(crate) fn rule(
        &mut self,
        space: SpaceId,
        key: RuleKey,
        rule: Rule,
        programs: &mut Programs,
    ) {
        let Some(family) = self.family(space, key.code) else {
            return;
        };
        family.rules.insert(key.ip, key);
        self.rules += u64::from(programs.learned(key, rule));
        self.most.0 = self.most.0.max(self.rules);
    }

    /// The code of these addresses has changed in an address space that the kernel knows by `key`. Returns the
    /// hashes that mean nothing since.
    pub(crate) fn code_changed(
        &mut self,
        space: SpaceId,
        key: Option<u64>,
        range: &Range<u64>,
        time: Nanoseconds,
        programs: &mut Programs,
    ) -> Vec<u64> {
        let number = self.number_of(space);
        let shared = self
            .families
            .get(&number)
            .is_some_and(|family| family.members > 1);
        if shared && self.leave(space, key, Some(time), programs) {
            return Vec::new();
        }
        let ranges = std::slice::from_ref(range);
        let Some(family) = self.families.get_mut(&number) else {
            return Vec::new();
        };
        let ips: Vec<u64> = family
            .rules
            .range(range.start..=range.end)
            .map(|(&ip, _)| ip)
            .collect();
        for key in ips.iter().filter_map(|ip| family.rules.remove(ip)) {
            self.rules -= u64::from(programs.unlearn(key));
        }
        self.retire(space, ranges, programs)
    }

    /// Takes back the hashes of all stacks that pass through these addresses, and returns them.
    pub(crate) fn retire(
        &mut self,
        space: SpaceId,
        ranges: &[Range<u64>],
        programs: &mut Programs,
    ) -> Vec<u64> {
        let number = self.number_of(space);
        let Some(family) = self.families.get_mut(&number) else {
            return Vec::new();
        };
        let taken = family
            .hashes
            .extract_if(|_, frames| passes_any(frames, ranges));
        let hashes: Vec<u64> = taken.map(|(hash, _)| hash).collect();
        family.retired.extend(&hashes);
        for hash in &hashes {
            self.hashes -= u64::from(programs.unverify(*hash));
        }
        hashes
    }

    /// The space goes its own way. False: the kernel has no room for it.
    fn leave(
        &mut self,
        space: SpaceId,
        key: Option<u64>,
        since: Option<Nanoseconds>,
        programs: &mut Programs,
    ) -> bool {
        let own = self.new_number();
        if !key.is_some_and(|key| programs.set_code(key, own.into())) {
            return false;
        }
        self.forget(space, programs);
        self.members.insert(space, Member { family: own, since });
        let family = Family {
            members: 1,
            code: Some(own.into()),
            ..Family::default()
        };
        self.families.insert(own, family);
        true
    }

    /// Whatever was known of any code may have changed.
    pub(crate) fn doubt(&mut self, key: impl Fn(SpaceId) -> Option<u64>, programs: &mut Programs) {
        for family in self.families.values_mut() {
            for (hash, _) in family.hashes.drain() {
                self.hashes -= u64::from(programs.unverify(hash));
                family.retired.push(hash);
            }
            while let Some((_, key)) = family.rules.pop_first() {
                self.rules -= u64::from(programs.unlearn(key));
            }
        }
        // What they have in common is not known any more.
        for space in self.spaces() {
            let number = self.number_of(space);
            if self
                .families
                .get(&number)
                .is_some_and(|family| family.members > 1)
            {
                self.leave(space, key(space), None, programs);
            }
        }
    }

    /// The address spaces of which something was learned.
    #[must_use]
    pub(crate) fn spaces(&self) -> Vec<SpaceId> {
        self.members.keys().copied().collect()
    }

    /// An address space has ended. Returns the hashes that nobody uses any more.
    pub(crate) fn forget(&mut self, space: SpaceId, programs: &mut Programs) -> Vec<u64> {
        let Some(member) = self.members.remove(&space) else {
            return Vec::new();
        };
        if let Some(family) = self.families.get_mut(&member.family) {
            family.members -= 1;
            if family.members > 0 {
                return Vec::new();
            }
        }
        let family = self.families.remove(&member.family).unwrap_or_default();
        for hash in family.hashes.keys() {
            self.hashes -= u64::from(programs.unverify(*hash));
        }
        for key in family.rules.into_values() {
            self.rules -= u64::from(programs.unlearn(key));
        }
        family.hashes.into_keys().chain(family.retired).collect()
    }

    /// Adds what was held at the most.
    #[must_use]
    pub(crate) fn told(&self, learning: Learning, programs: &Programs) -> Learning {
        Learning {
            rules: self.most.0,
            hashes: self.most.1,
            memory_bytes: Some(programs.learned_bytes()),
            ..learning
        }
    }

    /// The family of a space, if that is what `code` stands for: not so for a stack that was taken before
    /// the code changed, nor where the kernel uses its name for an address space again.
    fn family(&mut self, space: SpaceId, code: u64) -> Option<&mut Family> {
        let number = self.number_of(space);
        if self.families.get(&number)?.code.is_none() && self.is_code(code) {
            return None;
        }
        let family = self.families.get_mut(&number)?;
        (*family.code.get_or_insert(code) == code).then_some(family)
    }

    fn number_of(&mut self, space: SpaceId) -> u32 {
        if let Some(member) = self.members.get(&space) {
            return member.family;
        }
        let number = self.new_number();
        let member = Member {
            family: number,
            since: None,
        };
        self.members.insert(space, member);
        let family = Family {
            members: 1,
            ..Family::default()
        };
        self.families.insert(number, family);
        number
    }

    /// Also good as a family's code: the kernel's own names for address spaces are addresses of its own.
    fn new_number(&mut self) -> u32 {
        self.given += 1;
        self.given
    }
}
