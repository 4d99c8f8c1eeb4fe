//! Which functions are wrappers: one process comes through them from several places, so their names
//! do not tell who asked.
//!
//! The rule. A site's *path* is the names of its frames of the best rank ([`Rank`]) from the innermost
//! on, up to the first script function, repetitions left out. Two sites whose paths begin with the same
//! frames and go on differently are told apart only by what follows, so these frames are wrappers: a
//! site's title is the frame that follows its last wrapper. Among the innermost three frames only:
//! beyond that it is not a wrapper any more but a different errand of the same code, which the line of
//! callers shows. A script's function is never a wrapper: it has its file and line, and an engine's
//! heap grows in whichever function happens to run.

use std::collections::{HashMap, HashSet};

use super::names::{full_name, is_script};
use super::noise::{Rank, rank};
use tracer_ledger::event::Frame;

/// The most wrappers between a title and the way to the kernel.
const MOST: usize = 3;

/// The wrappers of one process.
#[derive(Clone, Debug, Default)]
pub struct Wrappers {
    /// By the beginning of a path: what it goes on with, `None` for its end.
    callers: HashMap<Vec<String>, HashSet<Option<String>>>,
}

impl Wrappers {
    /// Finds them from the stacks of all sites of a process.
    #[must_use]
    pub fn of<'a>(stacks: impl IntoIterator<Item = &'a [Frame]>) -> Self {
        let mut wrappers = Self::default();
        for frames in stacks {
            let path = Path::of(frames);
            for length in 1..=path.may_wrap() {
                let next = path.names.get(length).cloned();
                let begin = path.names[..length].to_vec();
                wrappers.callers.entry(begin).or_default().insert(next);
            }
        }
        wrappers
    }

    /// The index of the frame that a stack is called by; `None`: nothing is known of it.
    #[must_use]
    pub fn title(&self, frames: &[Frame]) -> Option<usize> {
        let path = Path::of(frames);
        let wrapping = (1..=path.may_wrap())
            .rev()
            .filter(|&length| length < path.names.len())
            .find(|&length| {
                let callers = self.callers.get(&path.names[..length]);
                callers.is_some_and(|callers| callers.len() > 1)
            });
        path.frames.get(wrapping.unwrap_or(0)).copied()
    }
}

/// The frames that may be the title of a stack, innermost first.
#[derive(Clone, Debug, Default)]
struct Path {
    names: Vec<String>,
    /// Of each name, the innermost frame that has it.
    frames: Vec<usize>,
    /// How many of these, from the innermost on, are no script's.
    native: usize,
}

impl Path {
    fn of(frames: &[Frame]) -> Self {
        let ranks: Vec<Rank> = frames.iter().map(rank).collect();
        let Some(best) = [Rank::User, Rank::Runtime, Rank::Start, Rank::Edge]
            .into_iter()
            .find(|rank| ranks.contains(rank))
        else {
            return Self::default();
        };
        let of_rank = |index: &usize| ranks[*index] == best;
        let named = |index: &usize| frames[*index].function.is_some();
        let mut path = Self::default();
        for index in (0..frames.len()).filter(of_rank).filter(named) {
            let name = full_name(&frames[index]);
            if path.names.last() != Some(&name) {
                path.names.push(name);
                path.frames.push(index);
            }
            if is_script(&frames[index]) {
                break;
            }
            path.native = path.names.len();
        }
        // A name says more than an address; without any, the innermost address is the title.
        if path.names.is_empty()
            && let Some(index) = (0..frames.len()).find(of_rank)
        {
            path.names.push(full_name(&frames[index]));
            path.frames.push(index);
        }
        path
    }

    fn may_wrap(&self) -> usize {
        self.native.min(MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::Wrappers;
    use tracer_ledger::event::{Frame, FrameKind};

    fn frame(name: &str) -> Frame {
        Frame {
            function: Some(name.into()),
            module: Some("/srv/app/bin/server".into()),
            kind: if name.ends_with(".js") {
                FrameKind::Jit
            } else {
                FrameKind::Native
            },
            ..Frame::default()
        }
    }

    /// Stacks as words, innermost first; the title of each.
    #[track_caller]
    fn check(stacks: &[&str], titles: &[&str]) {
        let stacks: Vec<Vec<Frame>> = stacks
            .iter()
            .map(|stack| stack.split(' ').map(frame).collect())
            .collect();
        let wrappers = Wrappers::of(stacks.iter().map(Vec::as_slice));
        let found: Vec<&str> = stacks
            .iter()
            .map(|stack| {
                let title = wrappers.title(stack).unwrap();
                stack[title].function.as_deref().unwrap()
            })
            .collect();
        assert_eq!(found, titles);
    }

    #[test]
    fn a_function_that_several_places_come_through_is_not_the_title() {
        check(
            &[
                "mmap map reserve first_cage grow main",
                "mmap map reserve second_cage grow main",
                "mmap map writable leak grow main",
                "mmap map writable churn grow main",
                "mmap own_arena grow main",
            ],
            &["first_cage", "second_cage", "leak", "churn", "own_arena"],
        );
    }

    #[test]
    fn a_site_that_is_alone_keeps_its_innermost_function() {
        check(&["mmap map reserve first_cage grow main"], &["map"]);
        check(
            &["mmap map map grow main", "mmap map grow main"],
            &["map", "map"],
        );
    }

    #[test]
    fn a_wrapper_that_only_another_one_calls_is_one_too() {
        check(
            &["mmap raw checked cache main", "mmap raw checked index main"],
            &["cache", "index"],
        );
    }

    #[test]
    fn the_end_of_a_stack_is_a_caller_of_its_own() {
        check(&["mmap map main", "mmap map cache main"], &["map", "cache"]);
    }

    #[test]
    fn errands_that_part_far_out_do_not_change_the_title() {
        check(
            &[
                "mmap leaf handle dispatch serve plain main",
                "mmap leaf handle dispatch serve secure main",
            ],
            &["leaf", "leaf"],
        );
    }

    #[test]
    fn a_script_is_never_a_wrapper_but_may_be_behind_one() {
        check(
            &["mmap parse.js load.js", "mmap parse.js start.js"],
            &["parse.js", "parse.js"],
        );
        check(
            &["mmap create a.js main", "mmap create b.js main"],
            &["a.js", "b.js"],
        );
    }

    #[test]
    fn of_nothing_nothing_is_the_title() {
        let nowhere = [Frame::default()];
        assert_eq!(Wrappers::of([&nowhere[..]]).title(&nowhere), None);
    }
}
