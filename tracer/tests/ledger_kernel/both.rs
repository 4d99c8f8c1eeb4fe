//! Real calls of a child process, and the same calls as events of a ledger: after each the two must be
//! one, range by range, protection by protection, charge by charge.

use std::fs;
use std::os::fd::{AsRawFd as _, OwnedFd};

use tracer::capture::procfs;
use tracer::event::{
    Action, Address, Call, Event, Fault, Fork, Found, Loss, Mapping, Maps, Nanoseconds, Pid,
    Resident, SpaceId, StackId, Stamp, Started,
};
use tracer::ledger::{AddressSpace, Ledger, Origin};

use crate::puppet::Puppet;

/// Where the tests map: far from all that the child has of its parent.
const REGION: u64 = 0x10_0000_0000;

pub const ANONYMOUS: i32 = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
pub const SHARED: i32 = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
pub const NONE: i32 = libc::PROT_NONE;
pub const R: i32 = libc::PROT_READ;
pub const RW: i32 = libc::PROT_READ | libc::PROT_WRITE;

pub fn page_bytes() -> u64 {
    rustix::param::page_size() as u64
}

/// Major and minor number of the running kernel.
pub fn kernel() -> (u32, u32) {
    let release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    let mut numbers = release
        .split(|letter: char| !letter.is_ascii_digit())
        .map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// The page of the region that holds `address`.
pub fn page_of(address: u64) -> u64 {
    (address - REGION) / page_bytes()
}

fn in_region(address: u64) -> bool {
    (REGION..REGION << 1).contains(&address)
}

pub fn at(page: u64) -> u64 {
    REGION + page * page_bytes()
}

pub fn pages(count: u64) -> u64 {
    count * page_bytes()
}

/// A file in memory of so many pages, every byte written. A child made later has it too.
pub fn file(count: u64) -> OwnedFd {
    let file = rustix::fs::memfd_create("pages", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    let bytes = vec![7; pages(count) as usize];
    assert_eq!(rustix::io::write(&file, &bytes), Ok(bytes.len()));
    file
}

/// The same file, open for reading only.
pub fn read_only(file: &OwnedFd) -> OwnedFd {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    fs::File::open(path).unwrap().into()
}

/// One mapping as `smaps` shows it.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pub start: u64,
    pub end: u64,
    pub shared: bool,
    pub name: String,
    /// `VmFlags` (`ac`: charged).
    pub flags: String,
    /// `Rss`, bytes.
    pub resident: u64,
}

pub fn smaps(pid: Pid) -> Vec<Line> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap();
    let mut lines: Vec<Line> = Vec::new();
    for line in text.lines() {
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            lines.last_mut().unwrap().flags = format!("{flags} ");
            continue;
        }
        let mut words = line.split_whitespace();
        let first = words.next().unwrap();
        if first == "Rss:" {
            let kilobytes: u64 = words.next().unwrap().parse().unwrap();
            lines.last_mut().unwrap().resident = kilobytes << 10;
        }
        let Some((start, end)) = first.split_once('-') else {
            continue;
        };
        let hex = |number| u64::from_str_radix(number, 16).unwrap();
        let shared = words.next().unwrap().ends_with('s');
        lines.push(Line {
            start: hex(start),
            end: hex(end),
            shared,
            name: words.skip(3).collect::<Vec<_>>().join(" "),
            ..Line::default()
        });
    }
    lines
}

/// A figure of `/proc/PID/status`, bytes.
pub fn status(pid: Pid, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes << 10
}

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

    fn stamp(&mut self) -> Stamp {
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
        }));
    }

    pub fn try_map(
        &mut self,
        address: u64,
        length: u64,
        protection: i32,
        flags: i32,
        file: Option<(i32, u64)>,
    ) -> Result<u64, i32> {
        let (descriptor, offset) = file.unwrap_or((-1, 0));
        let arguments = [
            address,
            length,
            protection as u64,
            flags as u64,
            descriptor as u64,
            offset,
        ];
        let address = self.puppet.call(libc::SYS_mmap, arguments)?;
        self.event(Action::Map {
            address: Address(address),
            length,
            protection: protection as u8,
            flags: flags as u32,
            file_offset: file.map(|(_, offset)| offset),
        });
        Ok(address)
    }

    #[track_caller]
    pub fn map(&mut self, page: u64, length: u64, protection: i32, flags: i32) {
        let flags = flags | libc::MAP_FIXED;
        self.try_map(at(page), length, protection, flags, None)
            .unwrap();
        self.check();
    }

    /// A private or shared mapping of a file.
    #[track_caller]
    pub fn map_file(
        &mut self,
        page: u64,
        length: u64,
        protection: i32,
        flags: i32,
        (file, offset): (&OwnedFd, u64),
    ) {
        let flags = flags | libc::MAP_FIXED;
        let file = Some((file.as_raw_fd(), offset));
        self.try_map(at(page), length, protection, flags, file)
            .unwrap();
        self.check();
    }

    #[track_caller]
    pub fn unmap(&mut self, page: u64, length: u64) {
        let arguments = [at(page), length, 0, 0, 0, 0];
        self.puppet.call(libc::SYS_munmap, arguments).unwrap();
        self.event(Action::Unmap {
            address: Address(at(page)),
            length,
        });
        self.check();
    }

    /// `mprotect`, and the event of its success or failure.
    #[track_caller]
    pub fn try_protect(&mut self, page: u64, length: u64, protection: i32) -> Result<u64, i32> {
        let arguments = [at(page), length, protection as u64, 0, 0, 0];
        let result = self.puppet.call(libc::SYS_mprotect, arguments);
        let address = Address(at(page));
        let grows = if protection & libc::PROT_GROWSDOWN == 0 {
            0
        } else {
            0x80
        };
        let protection = protection as u8 | grows;
        self.event(match result {
            Ok(_) => Action::Protect {
                address,
                length,
                protection,
            },
            Err(error) => Action::ProtectFailed {
                address,
                length,
                protection,
                error: error as u16,
            },
        });
        result
    }

    #[track_caller]
    pub fn protect(&mut self, page: u64, length: u64, protection: i32) {
        self.try_protect(page, length, protection).unwrap();
        self.check();
    }

    #[track_caller]
    pub fn try_advise(&mut self, page: u64, length: u64, advice: i32) -> Result<u64, i32> {
        let arguments = [at(page), length, advice as u64, 0, 0, 0];
        let result = self.puppet.call(libc::SYS_madvise, arguments);
        let address = Address(at(page));
        let advice = advice as u32;
        self.event(match result {
            Ok(_) => Action::Advise {
                address,
                length,
                advice,
            },
            Err(error) => Action::AdviseFailed {
                address,
                length,
                advice,
                error: error as u16,
            },
        });
        result
    }

    #[track_caller]
    pub fn advise(&mut self, page: u64, length: u64, advice: i32) {
        self.try_advise(page, length, advice).unwrap();
        self.check();
    }

    /// `mremap` of bytes at addresses; where it is now.
    pub fn try_remap(
        &mut self,
        (old_address, old_length): (u64, u64),
        (new_address, new_length): (u64, u64),
        flags: i32,
    ) -> Result<u64, i32> {
        let arguments = [
            old_address,
            old_length,
            new_length,
            flags as u64,
            new_address,
            0,
        ];
        let new_address = self.puppet.call(libc::SYS_mremap, arguments)?;
        let stays = new_address == old_address || flags & libc::MREMAP_DONTUNMAP != 0;
        if new_length < old_length {
            let kept = new_length.next_multiple_of(page_bytes());
            self.event(Action::RemapLeave {
                address: Address(old_address + kept),
                length: old_length.saturating_sub(kept),
                moves: false,
            });
        }
        if !stays && old_length > 0 {
            self.event(Action::RemapLeave {
                address: Address(old_address),
                length: old_length.min(new_length),
                moves: true,
            });
        }
        self.event(Action::RemapArrive {
            old_address: Address(old_address),
            old_length,
            new_address: Address(new_address),
            new_length,
            flags: flags as u32,
        });
        Ok(new_address)
    }

    /// `mremap`; to the page `new` with `MREMAP_FIXED`, else in place.
    #[track_caller]
    pub fn remap(&mut self, page: u64, old: u64, new: Option<u64>, length: u64, flags: i32) {
        let flags = match new {
            Some(_) => flags | libc::MREMAP_FIXED | libc::MREMAP_MAYMOVE,
            None => flags,
        };
        let to = at(new.unwrap_or(page));
        let result = self.try_remap((at(page), old), (to, length), flags);
        assert_eq!(result, Ok(to));
        self.check();
    }

    /// `brk`: what it returns.
    #[track_caller]
    pub fn brk(&mut self, start: u64, to: u64) -> u64 {
        let end = self
            .puppet
            .call(libc::SYS_brk, [to, 0, 0, 0, 0, 0])
            .unwrap();
        self.event(Action::Break {
            start: Address(start),
            end: Address(end),
        });
        self.check();
        end
    }

    #[track_caller]
    pub fn attach(&mut self, id: u64, page: u64, length: u64, flags: i32) {
        let arguments = [id, at(page), flags as u64, 0, 0, 0];
        let address = self.puppet.call(libc::SYS_shmat, arguments).unwrap();
        self.event(Action::Attach {
            address: Address(address),
            length,
            flags: flags as u32,
        });
        self.check();
    }

    #[track_caller]
    pub fn detach(&mut self, page: u64) {
        let arguments = [at(page), 0, 0, 0, 0, 0];
        self.puppet.call(libc::SYS_shmdt, arguments).unwrap();
        self.event(Action::Detach {
            address: Address(at(page)),
        });
        self.check();
    }

    /// Writes to a page of the region; whether that was a fault.
    pub fn write(&mut self, page: u64) -> bool {
        let faults = self.puppet.store(at(page));
        self.faulted(page, true, faults)
    }

    /// Reads from a page of the region; whether that was a fault.
    pub fn read(&mut self, page: u64) -> bool {
        let faults = self.puppet.load(at(page));
        self.faulted(page, false, faults)
    }

    fn faulted(&mut self, page: u64, write: bool, faults: u64) -> bool {
        if faults > 0 {
            self.fault(page, write);
        }
        faults > 0
    }

    /// The event of a fault, without the fault.
    pub fn fault(&mut self, page: u64, write: bool) {
        let stamp = self.stamp();
        self.apply(&Event::Fault(Fault {
            stamp,
            address: Address(at(page) + 8),
            write,
            in_kernel: false,
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
            faults: "each".into(),
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
