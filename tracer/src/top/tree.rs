//! Children below their parents.

use std::collections::{HashMap, HashSet};

use super::processes::ProcessLine;

/// The lines with each child below its parent, as deep as its forebears that are there; sisters in the order in which
/// they came, and so are those whose parent is not there.
#[must_use]
pub fn below_parents(lines: &[ProcessLine]) -> Vec<ProcessLine> {
    let there: HashSet<u32> = lines.iter().map(|line| line.pid).collect();
    let mut children: HashMap<u32, Vec<usize>> = HashMap::new();
    let mut waiting: Vec<(usize, usize)> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if line.ppid != line.pid && there.contains(&line.ppid) {
            children.entry(line.ppid).or_default().push(index);
        } else {
            waiting.push((index, 0));
        }
    }
    waiting.reverse();
    let mut placed = vec![false; lines.len()];
    let mut order = Vec::with_capacity(lines.len());
    // A number that was used again can make a ring: whoever is in one stands for itself.
    let mut rest = 0..lines.len();
    while let Some((index, depth)) = waiting
        .pop()
        .or_else(|| Some((rest.find(|index| !placed[*index])?, 0)))
    {
        if std::mem::replace(&mut placed[index], true) {
            continue;
        }
        order.push((index, depth));
        let below = children.get(&lines[index].pid).into_iter().flatten();
        waiting.extend(below.rev().map(|child| (*child, depth + 1)));
    }
    order
        .into_iter()
        .map(|(index, depth)| ProcessLine {
            depth,
            ..lines[index].clone()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::below_parents;
    use crate::top::processes::{ProcessLine, Totals};

    fn tree(lines: &[(u32, u32)]) -> Vec<(u32, usize)> {
        let lines = lines.iter().map(|&(pid, ppid)| ProcessLine {
            pid,
            ppid,
            index: 0,
            depth: 0,
            totals: Totals::default(),
            grown: None,
            level: None,
            exit: None,
            lived_ns: 0,
        });
        let placed = below_parents(&lines.collect::<Vec<_>>());
        placed.iter().map(|line| (line.pid, line.depth)).collect()
    }

    #[test]
    fn a_child_stands_below_its_parent_wherever_it_came_from() {
        assert_eq!(
            tree(&[(5, 2), (2, 1), (4, 9), (3, 2), (6, 5)]),
            [(2, 0), (5, 1), (6, 2), (3, 1), (4, 0)]
        );
    }

    #[test]
    fn a_ring_of_numbers_used_again_loses_nobody() {
        assert_eq!(tree(&[(1, 2), (2, 1), (3, 3)]), [(3, 0), (1, 0), (2, 1)]);
    }
}
