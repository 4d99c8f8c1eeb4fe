//! Calls and accesses of the child, and the events that tell of them.

use std::os::fd::{AsRawFd as _, OwnedFd};

use tracer_ledger::event::{Action, Address, Event, Fault};

use crate::both::Both;
use crate::kernel::*;

impl Both {
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
        let address = match self.puppet.call(libc::SYS_mmap, arguments) {
            Ok(address) => address,
            Err(error) => {
                if flags & libc::MAP_FIXED != 0 {
                    self.event(Action::MapFailed {
                        address: Address(address),
                        length,
                        flags: flags as u16,
                        error: error as u16,
                    });
                }
                return Err(error);
            }
        };
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

    /// `mremap` of bytes at addresses; where it is now. Of a failure the ledger hears what a tracer tells.
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
        let result = self.puppet.call(libc::SYS_mremap, arguments);
        let old_address = Address(old_address);
        match result {
            Ok(new_address) => self.event(Action::Remap {
                old_address,
                old_length,
                new_address: Address(new_address),
                new_length,
                flags: flags as u32,
            }),
            Err(_) if flags & libc::MREMAP_FIXED != 0 => {
                self.event(Action::RemapFailed {
                    old_address,
                    old_length,
                    new_address: Address(new_address),
                    new_length,
                });
            }
            Err(_) => {}
        }
        result
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
    pub fn brk(&mut self, to: u64) -> u64 {
        let old = self.puppet.call(libc::SYS_brk, [0; 6]).unwrap();
        let end = self
            .puppet
            .call(libc::SYS_brk, [to, 0, 0, 0, 0, 0])
            .unwrap();
        self.event(Action::Break {
            old: Address(old),
            new: Address(end),
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
}
