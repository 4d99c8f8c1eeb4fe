//! Whose the resident pages of a run are, what of them cannot be taken back, and what was copied on write.

use crate::accounts::curve::Curve;
use crate::accounts::standing::POINTS;
use crate::accounts::time::TraceTime;
use crate::model::residency::Residency;
use tracer_ledger::event::{Shares, Usage};

/// What is known of a run's resident pages.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    /// The last figures by kind.
    pub usage: Option<Usage>,
    /// The last look at whose they are.
    pub shares: Option<Shares>,
    /// The course of what the kernel cannot take back without swap: anonymous and shared memory, huge pages out of
    /// the pool, bytes.
    pub kept: Curve<u64, POINTS>,
    /// Since it was forked, or forked.
    pub copied: Option<Copied>,
}

/// What a run wrote to of the pages that it shares since a fork.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Processes of the same pages that live.
    pub partners: u32,
    /// Written to again while others had them too, bytes.
    pub rewritten: u64,
    /// The most that was shared at any time since, bytes.
    most_shared: u64,
    /// At the last look since.
    last: Option<Look>,
}

/// How the pages were divided at a look, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Look {
    private: u64,
    shared: u64,
    /// [`Copied::rewritten`] then.
    rewritten: u64,
}

impl Pages {
    /// Periodic figures.
    pub fn used(&mut self, time: TraceTime, usage: Usage) {
        let kept = usage.anonymous_bytes + usage.shared_memory_bytes + usage.hugetlb_bytes;
        self.kept.record(time, kept);
        self.usage = Some(usage);
    }

    /// A look at whose the pages are.
    pub fn shared(&mut self, shares: Shares) {
        self.shares = Some(shares);
        if let Some(copied) = &mut self.copied {
            copied.most_shared = copied.most_shared.max(shares.shared_bytes);
            copied.last = Some(Look {
                private: shares.private_bytes,
                shared: shares.shared_bytes,
                rewritten: copied.rewritten,
            });
        }
    }

    /// One more process has the same pages from now on; `anonymous`: what of them can be copied, if that is known.
    pub fn forked(&mut self, anonymous: Option<u64>) {
        let copied = self.copied.get_or_insert_default();
        copied.partners += 1;
        copied.most_shared = copied.most_shared.max(anonymous.unwrap_or(0));
    }

    /// One of them is gone, or has begun another program.
    pub fn parted(&mut self) {
        if let Some(copied) = &mut self.copied {
            copied.partners = copied.partners.saturating_sub(1);
        }
    }

    /// Wrote to a page that it had touched before.
    pub fn rewrote(&mut self, page_bytes: u64) {
        if let Some(copied) = self.copied.as_mut().filter(|copied| copied.partners > 0) {
            copied.rewritten += page_bytes;
        }
    }

    /// What was copied on write since a fork, bytes: written to while others had the same pages; no more than has
    /// come to be its own, and no more than has ceased to be shared. `None`: it never was one of two.
    ///
    /// A second write of a page that the others have copied meanwhile makes a fault too: hence the bounds.
    #[must_use]
    pub fn copied_bytes(&self) -> Option<u64> {
        let copied = self.copied?;
        let Some(look) = copied.last else {
            return Some(copied.rewritten.min(copied.most_shared));
        };
        let parted = copied.most_shared.saturating_sub(look.shared);
        let by_then = look.rewritten.min(look.private).min(parted);
        let since = copied.rewritten - look.rewritten;
        Some(by_then + since.min(look.shared))
    }

    /// As the model says it.
    #[must_use]
    pub fn residency(&self) -> Residency {
        let (usage, shares) = (self.usage, self.shares);
        let share = |figure: fn(&Shares) -> u64| shares.as_ref().map(figure);
        let use_of = |figure: fn(&Usage) -> u64| usage.as_ref().map(figure);
        Residency {
            mapped_again_bytes: None,
            private_bytes: share(|shares| shares.private_bytes),
            shared_bytes: share(|shares| shares.shared_bytes),
            proportional_bytes: share(|shares| shares.proportional_bytes),
            page_cache_bytes: use_of(|usage| usage.file_bytes),
            lazily_freed_bytes: share(|shares| shares.lazily_freed_bytes),
            huge_page_bytes: share(|shares| shares.huge_page_bytes),
            locked_bytes: use_of(|usage| usage.locked_bytes),
            hugetlb_bytes: use_of(|usage| usage.hugetlb_bytes)
                .or(share(|shares| shares.hugetlb_bytes)),
            copied_bytes: self.copied_bytes(),
        }
    }

    /// Gives up the course.
    pub fn condense(&mut self) {
        self.kept = Curve::default();
    }
}

#[cfg(test)]
mod tests {
    use super::Pages;
    use tracer_ledger::event::Shares;

    const MIB: u64 = 1 << 20;

    fn shares(private: u64, shared: u64) -> Shares {
        Shares {
            private_bytes: private * MIB,
            shared_bytes: shared * MIB,
            ..Shares::default()
        }
    }

    #[test]
    fn what_the_writer_copied_is_its_own_and_not_its_partners() {
        let (mut parent, mut child) = (Pages::default(), Pages::default());
        for pages in [&mut parent, &mut child] {
            pages.forked(Some(200 * MIB));
            pages.shared(shares(0, 200));
        }
        child.rewrote(140 * MIB);
        child.rewrote(10 * MIB);
        for pages in [&mut parent, &mut child] {
            pages.shared(shares(150, 50));
        }
        assert_eq!(child.copied_bytes(), Some(150 * MIB));
        // Since the last look.
        child.rewrote(20 * MIB);
        assert_eq!(child.copied_bytes(), Some(170 * MIB));
        assert_eq!(parent.copied_bytes(), Some(0));
    }

    #[test]
    fn what_is_written_again_and_again_is_copied_once() {
        let mut pages = Pages::default();
        pages.forked(Some(10 * MIB));
        pages.rewrote(500 * MIB);
        pages.shared(shares(300, 1));
        assert_eq!(pages.copied_bytes(), Some(9 * MIB));
    }

    #[test]
    fn once_nobody_else_has_the_pages_nothing_is_copied() {
        let mut pages = Pages::default();
        pages.forked(Some(100 * MIB));
        pages.parted();
        pages.rewrote(100 * MIB);
        pages.shared(shares(100, 0));
        assert_eq!(pages.copied_bytes(), Some(0));
    }
}
