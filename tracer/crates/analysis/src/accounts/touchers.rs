//! Which code touched memory first, by a sample of the page faults.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use crate::accounts::frames::Stacks;
use crate::model::summary::TouchSite;
use tracer_ledger::event::StackId;

/// First touches by stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touchers {
    by_stack: BTreeMap<StackId, Touched>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Touched {
    faults: u64,
    one_in: u32,
    estimated_bytes: u64,
}

impl Touched {
    fn add(&mut self, other: Self) {
        self.faults += other.faults;
        self.one_in = self.one_in.max(other.one_in);
        self.estimated_bytes += other.estimated_bytes;
    }
}

impl Touchers {
    /// One fault of `one_in` was taken, with this stack; it touched so many bytes first.
    pub fn add(&mut self, stack: StackId, one_in: u32, bytes: u64) {
        let touched = Touched {
            faults: 1,
            one_in,
            estimated_bytes: bytes * u64::from(one_in),
        };
        self.by_stack.entry(stack).or_default().add(touched);
    }

    /// What another account has.
    pub fn merge(&mut self, other: &Self) {
        for (stack, touched) in &other.by_stack {
            self.by_stack.entry(*stack).or_default().add(*touched);
        }
    }

    /// The code, that which touched most first; stacks that read the same are one.
    #[must_use]
    pub fn report(&self, stacks: &Stacks) -> Vec<TouchSite> {
        let mut found = HashMap::new();
        let mut sites: Vec<(StackId, Touched)> = Vec::new();
        for (&stack, &touched) in &self.by_stack {
            let index = *found
                .entry(stacks.identity_of_touch(stack))
                .or_insert_with(|| {
                    sites.push((stack, Touched::default()));
                    sites.len() - 1
                });
            sites[index].1.add(touched);
        }
        sites.sort_by_key(|(_, touched)| Reverse(touched.estimated_bytes));
        let site = |(stack, touched): (StackId, Touched)| {
            let (frames, quality) = stacks.get(stack);
            TouchSite {
                frames: frames.to_vec(),
                stack: quality,
                sampled_faults: touched.faults,
                one_in: touched.one_in,
                estimated_bytes: touched.estimated_bytes,
            }
        };
        sites.into_iter().map(site).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Touchers;
    use crate::accounts::frames::Stacks;
    use tracer_ledger::event::{Frame, Stack, StackId, StackQuality};

    #[test]
    fn instructions_of_one_function_are_one_and_the_share_is_multiplied() {
        let mut stacks = Stacks::default();
        for (id, function, offset) in [(1, "fill", 1), (2, "fill", 2), (3, "scan", 3)] {
            let frame = |function: &str, offset| Frame {
                function: Some(function.into()),
                offset,
                ..Frame::default()
            };
            stacks.insert(&Stack {
                id: StackId(id),
                quality: StackQuality::Complete,
                frames: vec![frame(function, offset), frame("main", 9)],
            });
        }
        let (mut one, mut other) = (Touchers::default(), Touchers::default());
        one.add(StackId(3), 10, 4096);
        one.add(StackId(1), 10, 4096);
        other.add(StackId(2), 10, 4096);
        one.merge(&other);
        let found: Vec<_> = one
            .report(&stacks)
            .iter()
            .map(|site| {
                let name = site.frames[0].function.clone().unwrap();
                (name, site.sampled_faults, site.one_in, site.estimated_bytes)
            })
            .collect();
        let expected = [("fill", 2, 10, 81_920), ("scan", 1, 10, 40_960)];
        assert_eq!(
            found,
            expected.map(|(name, a, b, c)| (name.to_owned(), a, b, c))
        );
    }
}
