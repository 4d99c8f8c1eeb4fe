//! Which process of one trace is which of another: by name and place in the tree, never by its number.

use std::collections::{BTreeMap, HashMap};

use super::model::Matched;
use crate::model::summary::{Process, Report};

/// A process before and after.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// Before.
    pub old: Option<&'a Process>,
    /// After.
    pub new: Option<&'a Process>,
    /// How it was found.
    pub matched: Matched,
}

/// What a process is looked for by; `None`: not by this.
type Key = fn(&Known<'_>) -> Option<String>;

/// Ancestors that a place in the tree is told by.
const ANCESTORS: usize = 8;

/// Every process of both, each once. First by its name, those of its ancestors, and which one of that
/// name it is there; then by its name alone; then by its program's file; and if there is one left over on
/// either side that nobody of the trace has started, those two are each other.
#[must_use]
pub fn pairs<'a>(old: &'a Report, new: &'a Report) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    let mut left_old = Known::all(old);
    let mut left_new = Known::all(new);
    let keys: [(Matched, Key); 4] = [
        (Matched::Exact, |known| Some(known.place.clone())),
        (Matched::Similar, |known| Some(known.process.comm.clone())),
        (Matched::Similar, |known| {
            let file = known.process.exe.rsplit('/').next().unwrap_or_default();
            (!file.is_empty()).then(|| file.to_owned())
        }),
        (Matched::Similar, |known| known.is_root.then(String::new)),
    ];
    for (round, (matched, key)) in keys.into_iter().enumerate() {
        let mut by_key: BTreeMap<String, [Vec<usize>; 2]> = BTreeMap::new();
        for (side, left) in [&left_old, &left_new].into_iter().enumerate() {
            for (index, known) in left.iter().enumerate() {
                if let Some(key) = key(known) {
                    by_key.entry(key).or_default()[side].push(index);
                }
            }
        }
        let mut gone: [Vec<usize>; 2] = Default::default();
        for [olds, news] in by_key.into_values() {
            // What is left of several programs of no name in common is not told apart by guessing.
            if round == 3 && (olds.len() != 1 || news.len() != 1) {
                continue;
            }
            for (old, new) in olds.into_iter().zip(news) {
                pairs.push(Pair {
                    old: Some(left_old[old].process),
                    new: Some(left_new[new].process),
                    matched,
                });
                gone[0].push(old);
                gone[1].push(new);
            }
        }
        remove(&mut left_old, &mut gone[0]);
        remove(&mut left_new, &mut gone[1]);
    }
    pairs.extend(left_old.iter().map(|known| Pair {
        old: Some(known.process),
        new: None,
        matched: Matched::OnlyOld,
    }));
    pairs.extend(left_new.iter().map(|known| Pair {
        old: None,
        new: Some(known.process),
        matched: Matched::OnlyNew,
    }));
    pairs
}

fn remove(left: &mut Vec<Known<'_>>, gone: &mut [usize]) {
    gone.sort_unstable();
    let mut index = 0;
    left.retain(|_| {
        index += 1;
        gone.binary_search(&(index - 1)).is_err()
    });
}

/// A process, and where it stands.
#[derive(Clone, Debug)]
struct Known<'a> {
    process: &'a Process,
    place: String,
    /// None of the traced processes is its parent.
    is_root: bool,
}

impl<'a> Known<'a> {
    /// In the order of their appearance.
    fn all(report: &'a Report) -> Vec<Self> {
        let mut latest: HashMap<u32, usize> = HashMap::new();
        let mut ancestors: Vec<Vec<&str>> = Vec::new();
        let mut counts: HashMap<String, u64> = HashMap::new();
        let mut all = Vec::new();
        for (index, process) in report.processes.iter().enumerate() {
            // A program that another one has become stands below that one.
            let parent = latest
                .get(&process.pid)
                .or_else(|| latest.get(&process.ppid));
            let mut line = parent.map_or_else(Vec::new, |&parent| ancestors[parent].clone());
            line.push(&process.comm);
            if line.len() > ANCESTORS {
                line.remove(0);
            }
            // No name has this character: the kernel ends it there.
            let place = line.join("\0");
            let count = counts.entry(place.clone()).or_default();
            *count += 1;
            all.push(Self {
                process,
                place: format!("{place}\0{count}"),
                is_root: parent.is_none(),
            });
            ancestors.push(line);
            latest.insert(process.pid, index);
        }
        all
    }
}
