//! A child process and its ledger: after each call the two must be one, range by range, protection by
//! protection, charge by charge.

use tracer::capture::procfs;
use tracer_ledger::event::{
    Action, Address, Call, Event, FaultMode, Fork, Found, Looking, Loss, Mapping, Maps,
    Nanoseconds, Pid, Resident, SpaceId, StackId, Stamp, Started,
};
use tracer_ledger::ledger::{AddressSpace, Ledger, Origin};

use crate::kernel::*;
use crate::puppet::Puppet;

/// The child and its ledger.
pub struct Both {
    pub puppet: Puppet,
    pub ledger: Ledger,
    space: SpaceId,
    time: u64,
}

impl Both {
    pub fn new() -> Self {
        let puppet = Puppet::new();
        let mut both = Self {
            ledger: Ledger::new(page_bytes()),
            space: SpaceId(1),
            time: 0,
            puppet,
        };
        both.begin();
        both.check();
        both
    }

    pub fn pid(&self) -> Pid {
        self.puppet.pid()
    }

    pub fn space(&self) -> &AddressSpace {
        self.ledger.space(self.space).unwrap()
    }

    pub fn maps(&self) -> Vec<Mapping> {
        procfs::maps(self.pid()).unwrap()
    }

    /// The kernel's mappings of the region: page, pages, protection.
    pub fn shown(&self) -> Vec<(u64, u64, u8)> {
        self.maps()
            .iter()
            .filter(|mapping| in_region(mapping.start.0))
            .map(|mapping| {
                let bytes = mapping.end.0 - mapping.start.0;
                (
                    page_of(mapping.start.0),
                    bytes / page_bytes(),
                    mapping.protection,
                )
            })
            .collect()
    }

    pub fn apply(&mut self, event: &Event) {
        self.ledger.apply(event, &mut Vec::new());
    }

    /// Reads the child's maps for its ledger.
    pub fn seed(&mut self) {
        self.time += 1;
        let maps = Maps {
            time: Nanoseconds(self.time),
            began: Nanoseconds(self.time),
            pid: self.pid(),
            space: self.space,
            mappings: self.maps(),
            ..Maps::default()
        };
        self.apply(&Event::Maps(maps));
        assert!(!self.space().needs_resync());
    }

    /// Something of which the ledger is not told.
    pub fn lose(&mut self) {
        self.time += 1;
        self.apply(&Event::Loss(Loss {
            time: Nanoseconds(self.time),
            events: 1,
            ..Loss::default()
        }));
    }

    pub fn stamp(&mut self) -> Stamp {
        self.time += 1;
        Stamp {
            time: Nanoseconds(self.time),
            space: self.space,
            pid: self.pid(),
            ..Stamp::default()
        }
    }

    pub fn event(&mut self, action: Action) {
        let stamp = self.stamp();
        self.apply(&Event::Call(Call {
            stamp,
            stack: StackId::NONE,
            action,
            totals: None,
            took_ns: 0,
        }));
    }

    /// Begins a new ledger, which knows what the maps show.
    pub fn forget(&mut self) {
        self.ledger = Ledger::new(page_bytes());
        self.begin();
    }

    fn begin(&mut self) {
        self.apply(&Event::Started(Started {
            kernel: rustix::system::uname()
                .release()
                .to_string_lossy()
                .into_owned(),
            faults: Some(FaultMode::Each),
            ..Started::default()
        }));
        self.apply(&Event::Found(Found {
            pid: self.pid(),
            space: self.space,
            ..Found::default()
        }));
        self.seed();
    }

    /// A child of the child: its own ledger of both.
    #[track_caller]
    pub fn fork(&mut self) -> Self {
        let puppet = self.puppet.fork();
        let stamp = self.stamp();
        let mut ledger = self.ledger.clone();
        let space = SpaceId(self.space.0 + 1);
        let fork = Fork {
            stamp,
            child: puppet.pid(),
            child_space: space,
            totals: totals(puppet.pid()),
            followed: true,
            ..Fork::default()
        };
        ledger.apply(&Event::Fork(fork), &mut Vec::new());
        let child = Self {
            puppet,
            ledger,
            space,
            time: self.time,
        };
        child.check();
        child
    }

    /// Looks at what is in memory, and holds it against what the kernel counts.
    #[track_caller]
    pub fn look(&mut self) {
        let mappings = self.maps();
        let asked: Vec<_> = mappings
            .iter()
            .filter(|mapping| in_region(mapping.start.0))
            .map(|mapping| (mapping.start, mapping.end.0 - mapping.start.0))
            .collect();
        let stamp = self.stamp();
        self.apply(&Event::Looking(Looking {
            time: stamp.time,
            space: stamp.space,
        }));
        let ranges = procfs::resident(self.pid(), &asked).unwrap();
        let stamp = self.stamp();
        self.apply(&Event::Resident(Resident {
            time: stamp.time,
            space: stamp.space,
            ranges,
        }));
        for reservation in self.space().reservations() {
            assert!(reservation.resident_bytes <= reservation.touched_bytes);
        }
    }

    /// Pages of the region in memory by the last look, and by `smaps` now.
    pub fn resident(&self) -> (u64, u64) {
        let ledger: u64 = self
            .space()
            .reservations()
            .map(|reservation| reservation.resident_bytes)
            .sum();
        let kernel: u64 = smaps(self.pid())
            .iter()
            .filter(|line| in_region(line.start))
            .map(|line| line.resident)
            .sum();
        (ledger / page_bytes(), kernel / page_bytes())
    }

    /// So many pages are in memory. The page of zeros is not; before 6.7 it cannot be told from others.
    #[track_caller]
    pub fn assert_resident(&self, expected: u64) {
        let (seen, counted) = self.resident();
        assert_eq!(counted, expected);
        assert!(
            seen == expected || (seen > expected && kernel() < (6, 7)),
            "{seen}"
        );
    }

    /// The pages of the region that count as touched.
    pub fn touched(&self) -> Vec<u64> {
        self.space()
            .ranges()
            .filter(|(start, ..)| in_region(start.0))
            .flat_map(|(start, end, _)| page_of(start.0)..page_of(end.0))
            .filter(|page| self.space().is_touched(Address(at(*page))))
            .collect()
    }

    /// Range by range what the kernel shows; its sum; and what it charges.
    #[track_caller]
    pub fn check(&self) {
        let space = self.space();
        assert_eq!(space.compare(&self.maps()), []);
        assert_eq!(space.mapped_bytes(), status(self.pid(), "VmSize:"));
        self.check_charges();
    }

    /// The charge of all that was mapped since the child began, where the kernel shows it.
    #[track_caller]
    fn check_charges(&self) {
        let space = self.space();
        let lines = smaps(self.pid());
        for (start, end, piece) in space.ranges() {
            let owner = space.reservation(piece.owner).unwrap();
            let seen = in_region(start.0) || owner.origin == Origin::Break;
            if !seen || piece.attributes.shared {
                continue;
            }
            for line in &lines {
                if start.0 < line.end && line.start < end.0 {
                    let kernel = line.flags.contains(" ac ");
                    assert_eq!(
                        piece.attributes.charged,
                        kernel,
                        "charge of pages {}..{}: {:?} {line:x?}",
                        page_of(start.0),
                        page_of(end.0),
                        piece.attributes,
                    );
                }
            }
        }
    }
}
