//! How much is known of the stacks of a process's acquisitions: by calls and by the bytes they took.

use std::collections::BTreeMap;

use crate::accounts::frames::Stacks;
use crate::accounts::run::StackCalls;
use crate::model::summary::{Acquired, StackCause, StackGrades};
use tracer_ledger::event::{Cause, StackQuality};

/// Sums up what calls took by how much is known of their stacks.
pub fn grades(all: impl Iterator<Item = StackCalls>, stacks: &Stacks) -> StackGrades {
    let mut grades = StackGrades::default();
    let mut causes: BTreeMap<(Cause, &str), Acquired> = BTreeMap::new();
    for StackCalls {
        stack,
        calls,
        bytes,
    } in all
    {
        let took = Acquired {
            calls,
            reserved_bytes: bytes,
        };
        let (_, quality) = stacks.get(stack);
        let grade = match quality {
            StackQuality::Complete => {
                grades.complete.add(took);
                continue;
            }
            StackQuality::Cut => &mut grades.cut,
            StackQuality::Broken => &mut grades.broken,
            StackQuality::None => &mut grades.none,
        };
        grade.add(took);
        let nobody_said = (quality == StackQuality::None).then_some((Cause::Lost, ""));
        if let Some(why) = stacks.cause(stack).or(nobody_said) {
            causes.entry(why).or_default().add(took);
        }
    }
    grades.causes = causes
        .into_iter()
        .map(|((cause, module), acquired)| StackCause {
            cause,
            module: (!module.is_empty()).then(|| module.to_owned()),
            acquired,
        })
        .collect();
    grades.sort();
    grades
}

impl StackGrades {
    /// The sum of several.
    pub fn sum<'a>(parts: impl Iterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        let mut causes: BTreeMap<(Cause, Option<&str>), Acquired> = BTreeMap::new();
        for part in parts {
            sum.complete.add(part.complete);
            sum.cut.add(part.cut);
            sum.broken.add(part.broken);
            sum.none.add(part.none);
            for one in &part.causes {
                let key = (one.cause, one.module.as_deref());
                causes.entry(key).or_default().add(one.acquired);
            }
        }
        sum.causes = causes
            .into_iter()
            .map(|((cause, module), acquired)| StackCause {
                cause,
                module: module.map(str::to_owned),
                acquired,
            })
            .collect();
        sum.sort();
        sum
    }

    /// The most frequent cause first.
    fn sort(&mut self) {
        self.causes
            .sort_by_key(|one| std::cmp::Reverse(one.acquired.calls));
    }
}

impl Acquired {
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.reserved_bytes += other.reserved_bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::{StackCalls, Stacks, grades};
    use crate::model::summary::{Acquired, StackCause, StackGrades};
    use tracer_ledger::event::{Cause, Incomplete, Stack, StackId, StackQuality};

    fn acquired(calls: u64, reserved_bytes: u64) -> Acquired {
        Acquired {
            calls,
            reserved_bytes,
        }
    }

    #[test]
    fn calls_are_graded_by_their_stacks_and_one_without_a_stack_is_lost() {
        let mut stacks = Stacks::default();
        for (id, quality) in [
            (1, StackQuality::Complete),
            (2, StackQuality::Cut),
            (3, StackQuality::Broken),
            (4, StackQuality::Broken),
        ] {
            stacks.insert(&Stack {
                id: StackId(id),
                quality,
                frames: Vec::new(),
            });
        }
        for (id, cause, module) in [
            (2, Cause::BeyondCopy, "/a"),
            (3, Cause::NoUnwindInformation, "/b"),
            (4, Cause::NoUnwindInformation, "/b"),
        ] {
            stacks.insert_cause(&Incomplete {
                stack: StackId(id),
                cause,
                module: module.into(),
            });
        }
        let calls = (0..5).map(|id| StackCalls {
            stack: StackId(id),
            calls: 1 + u64::from(id),
            bytes: 4096,
        });
        let graded = grades(calls, &stacks);
        let cause = |cause, module: Option<&str>, acquired| StackCause {
            cause,
            module: module.map(str::to_owned),
            acquired,
        };
        let expected = StackGrades {
            complete: acquired(2, 4096),
            cut: acquired(3, 4096),
            broken: acquired(9, 8192),
            none: acquired(1, 4096),
            causes: vec![
                cause(Cause::NoUnwindInformation, Some("/b"), acquired(9, 8192)),
                cause(Cause::BeyondCopy, Some("/a"), acquired(3, 4096)),
                cause(Cause::Lost, None, acquired(1, 4096)),
            ],
        };
        assert_eq!(graded, expected);
        assert_eq!(StackGrades::sum([&graded].into_iter()), expected);
        let twice = StackGrades::sum([&graded, &graded].into_iter());
        assert_eq!(twice.broken, acquired(18, 16384));
        assert_eq!(twice.causes[0].acquired, acquired(18, 16384));
    }
}
