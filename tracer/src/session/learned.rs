//! What the kernel was handed of the code of address spaces, to be taken back when it holds no longer.
//!
//! Copies made by fork have the same code, and so share all that is known of it, until the code of one of
//! them changes: that one goes its own way.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use tracer_common::stack::{Rule, RuleKey};

use crate::{
    capture::programs::Programs,
    event::{Learning, SpaceId},
};

/// See the module.
#[derive(Debug, Default)]
pub struct Learned {
    family_of: HashMap<SpaceId, u32>,
    families: HashMap<u32, Family>,
    /// Numbers given to families.
    given: u32,
    rules: u64,
    hashes: u64,
    /// The most of both at a time.
    most: (u64, u64),
}

/// Address spaces with the same code.
#[derive(Debug, Default)]
struct Family {
    members: usize,
    /// What stands for their code in the kernel; `None`: no stack has told yet.
    code: Option<u64>,
    /// Known stacks by their hash, each with its frames.
    hashes: HashMap<u64, Box<[u64]>>,
    rules: HashSet<RuleKey>,
}

impl Learned {
    /// A copy was made; `key` is the kernel's name for it.
    pub fn forked(
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
        self.family_of.insert(child, number);
    }

    /// A stack with this hash and these frames is known.
    pub fn verified(
        &mut self,
        space: SpaceId,
        code: u64,
        hash: u64,
        frames: &[u64],
        programs: &mut Programs,
    ) {
        let Some(family) = self.family(space, code) else {
            return;
        };
        family.hashes.insert(hash, frames.into());
        self.hashes += u64::from(programs.verified(hash));
        self.most.1 = self.most.1.max(self.hashes);
    }

    /// A stack that is known came whole all the same.
    pub fn again(&mut self, hash: u64, programs: &mut Programs) {
        self.hashes += u64::from(programs.verified(hash));
    }

    /// The frames of a known stack.
    #[must_use]
    pub fn frames(&self, space: SpaceId, code: u64, hash: u64) -> Option<&[u64]> {
        let family = self.families.get(self.family_of.get(&space)?)?;
        let is_its_code = family.code == Some(code);
        is_its_code.then(|| family.hashes.get(&hash).map(AsRef::as_ref))?
    }

    /// The rule for an address is known.
    pub fn rule(&mut self, space: SpaceId, key: RuleKey, rule: Rule, programs: &mut Programs) {
        let Some(family) = self.family(space, key.code) else {
            return;
        };
        family.rules.insert(key);
        self.rules += u64::from(programs.learned(key, rule));
        self.most.0 = self.most.0.max(self.rules);
    }

    /// The code of these addresses has changed in an address space that the kernel knows by `key`.
    pub fn code_changed(
        &mut self,
        space: SpaceId,
        key: Option<u64>,
        range: &Range<u64>,
        programs: &mut Programs,
    ) {
        let number = self.number_of(space);
        let shared = self
            .families
            .get(&number)
            .is_some_and(|family| family.members > 1);
        if shared && let Some(key) = key {
            let own = self.new_number();
            if programs.set_code(key, own.into()) {
                self.forget(space, programs);
                self.family_of.insert(space, own);
                self.families.insert(
                    own,
                    Family {
                        members: 1,
                        code: Some(own.into()),
                        ..Family::default()
                    },
                );
                return;
            }
        }
        let Some(family) = self.families.get_mut(&number) else {
            return;
        };
        // A return address right behind the range may still be of a call at its end.
        let concerns = |ip: &u64| (range.start..=range.end).contains(ip);
        family.hashes.retain(|hash, frames| {
            let stays = !frames.iter().any(concerns);
            if !stays {
                self.hashes -= u64::from(programs.unverify(*hash));
            }
            stays
        });
        family.rules.retain(|key| {
            let stays = !concerns(&key.ip);
            if !stays {
                self.rules -= u64::from(programs.unlearn(*key));
            }
            stays
        });
    }

    /// An address space has ended. Returns the hashes that nobody uses any more.
    pub fn forget(&mut self, space: SpaceId, programs: &mut Programs) -> Vec<u64> {
        let Some(number) = self.family_of.remove(&space) else {
            return Vec::new();
        };
        if let Some(family) = self.families.get_mut(&number) {
            family.members -= 1;
            if family.members > 0 {
                return Vec::new();
            }
        }
        let family = self.families.remove(&number).unwrap_or_default();
        for hash in family.hashes.keys() {
            self.hashes -= u64::from(programs.unverify(*hash));
        }
        for key in family.rules {
            self.rules -= u64::from(programs.unlearn(key));
        }
        family.hashes.into_keys().collect()
    }

    /// Adds what was held at the most.
    #[must_use]
    pub fn told(&self, learning: Learning, programs: &Programs) -> Learning {
        Learning {
            rules: self.most.0,
            hashes: self.most.1,
            memory_bytes: Some(programs.learned_bytes()),
            ..learning
        }
    }

    /// The family of a space, if that is what `code` stands for: not so for a stack that was taken before
    /// the code changed.
    fn family(&mut self, space: SpaceId, code: u64) -> Option<&mut Family> {
        let number = self.number_of(space);
        let family = self.families.get_mut(&number)?;
        (*family.code.get_or_insert(code) == code).then_some(family)
    }

    fn number_of(&mut self, space: SpaceId) -> u32 {
        if let Some(number) = self.family_of.get(&space) {
            return *number;
        }
        let number = self.new_number();
        self.family_of.insert(space, number);
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
