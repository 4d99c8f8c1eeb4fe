//! Any calls in any order: after each the kernel and the ledger are one.

use tracer_ledger::event::Address;
use tracer_ledger::ledger::{Attributes, Origin};

use crate::both::Both;
use crate::kernel::*;

/// Pages that the calls reach.
const REACH: u64 = 48;

/// Numbers from a seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % sides
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len() as u64) as usize]
    }
}

struct Storm {
    both: Both,
    dice: Dice,
    segment: u64,
    generation: u64,
    /// What was done, for a failure to be understood.
    story: Vec<String>,
}

impl Storm {
    fn new(seed: u64) -> Self {
        let mut both = Both::new();
        let arguments = [libc::IPC_PRIVATE as u64, pages(6), 0o600, 0, 0, 0];
        let segment = both.puppet.call(libc::SYS_shmget, arguments).unwrap();
        both.try_map(at(200), pages(6), RW, ANONYMOUS, None)
            .unwrap();
        Self {
            both,
            dice: Dice(seed | 1),
            segment,
            generation: 0,
            story: Vec::new(),
        }
    }

    fn tell(&mut self, what: String) {
        self.story.push(what);
    }

    /// How a page is mapped, if it is.
    fn page(&self, page: u64) -> Option<(Attributes, Origin)> {
        let space = self.both.space();
        let owner = space.owner(Address(at(page)))?;
        let piece = space
            .pieces(owner)
            .find(|(start, end, _)| (start.0..end.0).contains(&at(page)))?;
        Some((*piece.2, space.reservation(owner)?.origin))
    }

    fn step(&mut self) {
        let page = self.dice.roll(REACH);
        let count = 1 + self.dice.roll(8);
        let protection = self.dice.one(&[NONE, R, RW, RW]);
        match self.dice.roll(24) {
            0..4 => {
                let kind = self.dice.one(&[
                    ANONYMOUS,
                    ANONYMOUS,
                    ANONYMOUS | libc::MAP_NORESERVE,
                    SHARED,
                    ANONYMOUS | libc::MAP_POPULATE,
                ]);
                self.tell(format!("map {page}+{count} {protection} {kind:#x}"));
                let flags = kind | libc::MAP_FIXED;
                self.both
                    .try_map(at(page), pages(count), protection, flags, None)
                    .unwrap();
            }
            4..6 => {
                self.tell(format!("unmap {page}+{count}"));
                self.both.unmap(page, pages(count));
            }
            6..11 => {
                self.tell(format!("protect {page}+{count} {protection}"));
                let result = self.both.try_protect(page, pages(count), protection);
                assert!(result == Ok(0) || result == Err(libc::ENOMEM));
            }
            11..14 => self.remap(page, count),
            14..17 => self.write(page),
            17 => {
                let reads = |(attributes, _): &(Attributes, Origin)| attributes.protection & 1 != 0;
                if self.accessible(page).filter(reads).is_some() {
                    self.tell(format!("read {page}"));
                    self.both.read(page);
                }
            }
            18..20 => self.advise(page, count),
            20 => {
                self.tell(format!("attach {page}"));
                let flags = libc::SHM_REMAP;
                self.both.attach(self.segment, page, pages(6), flags);
            }
            21 => {
                let attached = self.page(page).filter(|(page, _)| page.segment.is_some());
                if let Some((segment, _)) = attached.filter(|(page, _)| page.zero >= at(0)) {
                    self.tell(format!("detach {page}"));
                    self.both.detach(page_of(segment.zero));
                }
            }
            22 => {
                self.tell("look".into());
                self.both.look();
                if kernel() >= (6, 7) {
                    assert_eq!(self.both.resident().0, self.both.resident().1);
                }
            }
            _ => {
                if self.generation < 7 && self.dice.roll(20) == 0 {
                    self.tell("fork".into());
                    self.both = self.both.fork();
                    self.generation += 1;
                }
            }
        }
        self.both.check();
    }

    /// A page that can be accessed without a signal: of shared memory that grew there is no more than
    /// there was.
    fn accessible(&self, page: u64) -> Option<(Attributes, Origin)> {
        self.page(page).filter(|(attributes, origin)| {
            attributes.accessible() && !(attributes.shared && *origin == Origin::Remap)
        })
    }

    fn write(&mut self, page: u64) {
        let writes = |(attributes, _): &(Attributes, Origin)| attributes.protection & 2 != 0;
        if self.accessible(page).filter(writes).is_some() {
            self.tell(format!("write {page}"));
            self.both.write(page);
        }
    }

    fn remap(&mut self, page: u64, count: u64) {
        let new_count = if self.dice.roll(2) == 0 {
            count
        } else {
            1 + self.dice.roll(10)
        };
        let target = self.dice.roll(REACH);
        if page < target + new_count && target < page + count {
            return;
        }
        let (old, flags) = match self.dice.roll(8) {
            0..3 => (count, libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED),
            3..5 => (
                count,
                libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED | libc::MREMAP_DONTUNMAP,
            ),
            5 => (0, libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED),
            _ => (count, 0),
        };
        let result = self.both.try_remap(
            (at(page), pages(old)),
            (at(target), pages(new_count)),
            flags,
        );
        self.tell(format!(
            "remap {page}+{old} {target}+{new_count} {flags} {result:x?}"
        ));
        if self.both.space().needs_resync() {
            assert!(result.is_err());
            // It may have unmapped its target, and moved some of several mappings: the maps tell, but
            // not what is charged of what they show.
            self.both.seed();
            self.both.unmap(0, pages(REACH + 16));
        }
    }

    fn advise(&mut self, page: u64, count: u64) {
        let advice = self.dice.one(&[
            libc::MADV_DONTNEED,
            libc::MADV_DONTFORK,
            libc::MADV_DOFORK,
            libc::MADV_WIPEONFORK,
            libc::MADV_KEEPONFORK,
            libc::MADV_POPULATE_READ,
            libc::MADV_POPULATE_WRITE,
        ]);
        let result = self.both.try_advise(page, pages(count), advice);
        self.tell(format!("advise {page}+{count} {advice} {result:?}"));
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        let arguments = [self.segment, libc::IPC_RMID as u64, 0, 0, 0, 0];
        let _ = self.both.puppet.call(libc::SYS_shmctl, arguments);
        if std::thread::panicking() {
            let last = self.story.len().saturating_sub(60);
            eprintln!("{}", self.story[last..].join("\n"));
            for (start, end, piece) in self.both.space().ranges() {
                if (at(0)..at(REACH)).contains(&start.0) {
                    let (start, end) = (page_of(start.0), page_of(end.0));
                    eprintln!("ledger {start}..{end} {:?}", piece.attributes);
                }
            }
            for mapping in self.both.maps() {
                if (at(0)..at(REACH)).contains(&mapping.start.0) {
                    let (start, end) = (page_of(mapping.start.0), page_of(mapping.end.0));
                    eprintln!("kernel {start}..{end} {mapping:?}");
                }
            }
        }
    }
}

/// `STORM_SEED` and `STORM_SEEDS` name another first seed, and how many follow.
#[test]
fn any_calls_in_any_order_leave_ledger_and_kernel_one() {
    let seeds: u64 = std::env::var("STORM_SEEDS").map_or(5, |seeds| seeds.parse().unwrap());
    let first: u64 = std::env::var("STORM_SEED").map_or(1, |seed| seed.parse().unwrap());
    for seed in first..first + seeds {
        println!("seed {seed}");
        let mut storm = Storm::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for _ in 0..300 {
            storm.step();
        }
    }
}
