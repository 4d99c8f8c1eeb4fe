//! `mremap`.

use std::ops::Range;

use tracer_ledger::event::Event;

use crate::{machine::*, step::*, wire::*};

impl Machine {
    pub fn remap(
        &mut self,
        (old, old_length): (usize, usize),
        (new, new_length): (usize, usize),
        flags: u32,
    ) -> Vec<Event> {
        let dont_unmap = flags & DONT_UNMAP != 0;
        let fixed = flags & FIXED_PLACE != 0;
        if old_length == 0 {
            return self.duplicate(old, (new, new_length), flags);
        }
        // To a fixed place, with its length, several mappings move and keep the holes among them.
        let source = old + old_length <= self.reach
            && if fixed && old_length == new_length {
                self.pages[old].is_some()
            } else {
                self.mapped(old, old_length)
            };
        if !source {
            return Vec::new();
        }
        let in_place = !fixed
            && !dont_unmap
            && old + new_length <= self.reach
            && (new_length <= old_length || self.free(old + old_length, new_length - old_length));
        let new = if in_place { old } else { new };
        if !in_place {
            let overlap = new < old + old_length && old < new + new_length;
            let place = new + new_length <= self.reach && (fixed || self.free(new, new_length));
            if overlap || !place || (dont_unmap && old_length != new_length) {
                return Vec::new();
            }
        }
        let kept = old_length.min(new_length);
        self.pages[old + kept..old + old_length].fill(None);
        let last = self.pages[old + kept - 1].map(|page| moved(page, old, new));
        if !in_place {
            self.relocate(old..old + kept, new, dont_unmap);
        }
        let grown = last.map(|last| Page {
            owner: (self.time, Kind::Remap),
            touched: false,
            in_memory: false,
            resident: false,
            mapped: copied(last.mapped),
            ..last
        });
        self.pages[new + kept..new + new_length].fill(grown);
        self.join(new..new + new_length);
        remapped(self.time, (old, old_length), (new, new_length), flags)
    }

    /// The first of several mappings has moved, and the target of the next is unmapped, when it fails. Of
    /// a single one only the target is gone.
    pub fn remap_fails(&mut self, old: usize, length: usize, new: usize) -> Vec<Event> {
        let overlap = new < old + length && old < new + length;
        let place = old.max(new) + length <= self.reach;
        if !self.failures || overlap || !place || self.pages[old].is_none() {
            return Vec::new();
        }
        let first = self.mapping(old).end.min(old + length);
        let second = (first..old + length).find(|at| self.pages[*at].is_some());
        if second.is_some() {
            self.relocate(old..first, new, false);
        }
        let failing = second.unwrap_or(old);
        let end = self.mapping(failing).end.min(old + length);
        self.pages[new + failing - old..new + end - old].fill(None);
        remap_failed(self.time, old, length, new)
    }

    fn relocate(&mut self, old: Range<usize>, new: usize, dont_unmap: bool) {
        for (index, at) in old.clone().enumerate() {
            if self.pages[at].is_some() {
                self.pages[new + index] = None;
            }
        }
        let emptied: Vec<bool> = old
            .clone()
            .map(|at| {
                let mapping = self.mapping(at);
                dont_unmap && old.start <= mapping.start && mapping.end <= old.end
            })
            .collect();
        for (index, at) in old.clone().enumerate() {
            let Some(page) = self.pages[at] else {
                continue;
            };
            let mut there = moved(page, old.start, new);
            if dont_unmap {
                there.owner = (self.time, Kind::Remap);
                there.mapped = copied(there.mapped);
                let here = Page {
                    touched: false,
                    in_memory: false,
                    resident: false,
                    own: if emptied[index] { Own::None } else { page.own },
                    ..page
                };
                self.pages[at] = Some(here);
            } else {
                self.pages[at] = None;
            }
            self.pages[new + index] = Some(there);
        }
    }

    /// A second mapping of shared pages.
    fn duplicate(&mut self, old: usize, (new, length): (usize, usize), flags: u32) -> Vec<Event> {
        let Some(source) = self.pages[old].filter(|page| page.mapped.shared) else {
            return Vec::new();
        };
        let place = new + length <= self.reach
            && if flags & FIXED_PLACE != 0 {
                !(new..new + length).contains(&old)
            } else {
                self.free(new, length)
            };
        if !place || flags & DONT_UNMAP != 0 || old >= self.reach {
            return Vec::new();
        }
        let page = Page {
            owner: (self.time, Kind::Remap),
            touched: false,
            in_memory: false,
            resident: false,
            mapped: copied(source.mapped),
            ..source
        };
        self.pages[new..new + length].fill(Some(moved(page, old, new)));
        self.join(new..new + length);
        remapped(self.time, (old, 0), (new, length), flags)
    }
}

/// Memory that is shared was charged with the object, once.
fn copied(mapped: Mapped) -> Mapped {
    Mapped {
        charged: mapped.charged && !mapped.shared,
        ..mapped
    }
}

/// A page keeps its place in its file; private memory without a page of its own begins anew.
fn moved(page: Page, old: usize, new: usize) -> Page {
    let mut page = page;
    page.mapped.zero = if page.mapped.shared || page.own != Own::None {
        page.mapped.zero + new as i64 - old as i64
    } else {
        0
    };
    page
}
