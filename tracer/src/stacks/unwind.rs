//! From registers and a copy of stack bytes to return addresses.

use std::{collections::HashMap, ops::Range};

use tracer_common::stack::{MAX_FRAMES, Rule, flags};

use super::arch::{Next, Registers};
use super::cfi::{Exit, Step, StepError};
use super::modules::{Files, Place, Space};
use crate::event::{Pid, SpaceId, StackQuality};

/// How far beyond the copied bytes an address may lie to be of the same stack, bytes: well over the
/// usual limit of 8 MiB.
const STACK_REACH: u64 = 64 << 20;

/// What the kernel sent for one stack: a decoded [`tracer_common::stack::StackHead`] with what
/// follows it.
#[derive(Clone, Copy, Debug)]
pub struct RawStack<'a> {
    /// A process in that address space, whose `/proc` files are read.
    pub pid: Pid,
    /// The address space.
    pub space: SpaceId,
    /// Instruction pointer: exact, not a return address.
    pub ip: u64,
    /// Stack pointer.
    pub sp: u64,
    /// Frame pointer.
    pub fp: u64,
    /// Return addresses that the kernel found, innermost first, `ip` not among them.
    pub kernel_frames: &'a [u64],
    /// Bytes of stack from `sp` upwards.
    pub copied: &'a [u8],
    /// [`tracer_common::stack::flags`].
    pub flags: u32,
}

/// A stack as far as it could be unwound.
#[derive(Clone, Debug, Default)]
pub struct Unwound {
    /// Innermost first: the instruction pointer, then return addresses.
    pub frames: Vec<u64>,
    /// Where each frame lies, for naming; as many as `frames`.
    pub places: Vec<Place>,
    /// How much is known.
    pub quality: StackQuality,
    /// The kernel's walk found exactly these frames: its hash is a valid id for this stack.
    pub agrees_with_kernel: bool,
    /// How the kernel can find the callers of these frames, where frame pointers do not lead to them:
    /// address and rule. Not among them is what no table covers (code made at run time: the frame
    /// pointer leads on), and what has too complicated a row.
    pub rules: Vec<(u64, Rule)>,
}

/// Why a frame's caller was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// This stack address could not be read.
    Unreadable(u64),
    /// The registers or the tables make no sense.
    Nonsense,
}

impl From<StepError> for ReadError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Unreadable(address) => Self::Unreadable(address),
            StepError::Unsupported => Self::Nonsense,
        }
    }
}

/// Unwinds stacks of any number of address spaces.
#[derive(Default)]
pub struct Unwinder {
    files: Files,
    spaces: HashMap<SpaceId, Space>,
}

impl Unwinder {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Unwinds one stack. Reads the target's maps and files where it has not yet; never fails: what
    /// could not be found out shows in [`Unwound::quality`].
    pub fn unwind(&mut self, raw: &RawStack<'_>) -> Unwound {
        let space = self.spaces.entry(raw.space).or_default();
        space.freshen(raw.pid, &mut self.files);
        let mut walk = Walk::of(raw, space);
        if walk.met_unknown_code && space.missed(raw.pid, &mut self.files) {
            walk = Walk::of(raw, space);
        }
        let rules = walk.rules(space);
        let agrees_with_kernel =
            walk.quality != StackQuality::Broken && walk.agrees(raw.kernel_frames);
        if walk.quality == StackQuality::Broken || raw.copied.is_empty() {
            walk.take_kernels_if_longer(raw, space);
        }
        let places = walk.places(space);
        Unwound {
            frames: walk.frames.iter().map(|&(address, _)| address).collect(),
            places,
            quality: walk.quality,
            agrees_with_kernel,
            rules,
        }
    }

    /// A file was mapped as code in this address space, or unmapped from it: its maps are read again
    /// before its next stack. (Memory without a file needs no such call: it is looked for when a pc
    /// is found in no known mapping.)
    pub fn modules_changed(&mut self, space: SpaceId) {
        if let Some(space) = self.spaces.get_mut(&space) {
            space.mark_stale();
        }
    }

    /// Code was made in memory without a file: the next pc in no mapping known is looked for at once.
    pub fn code_made(&mut self, space: SpaceId) {
        if let Some(space) = self.spaces.get_mut(&space) {
            space.mark_grown();
        }
    }

    /// Addresses were unmapped, or mapped anew: nothing that is known of their code holds.
    pub fn forget_range(&mut self, space: SpaceId, range: &Range<u64>) {
        if let Some(space) = self.spaces.get_mut(&space) {
            space.forget_range(range);
        }
    }

    /// Whether code is known within a range of addresses: `of_file`, only that of files.
    #[must_use]
    pub fn knows_code_in(&self, space: SpaceId, range: &Range<u64>, of_file: bool) -> bool {
        self.spaces
            .get(&space)
            .is_some_and(|space| space.has_code_in(range, of_file))
    }

    /// An address space was copied: the copy begins with the same code, also if its process is gone
    /// before its maps can be read.
    pub fn forked(&mut self, parent: SpaceId, child: SpaceId) {
        let copy = self.spaces.get(&parent).map(Space::copy);
        self.spaces.extend(copy.map(|copy| (child, copy)));
    }

    /// The address space has ended: its number may be another's from now on.
    pub fn forget(&mut self, space: SpaceId) {
        self.spaces.remove(&space);
    }
}

/// One walk up one stack.
struct Walk {
    /// Address, and whether it is exact (else a return address).
    frames: Vec<(u64, bool)>,
    quality: StackQuality,
    met_unknown_code: bool,
}

impl Walk {
    fn of(raw: &RawStack<'_>, space: &mut Space) -> Self {
        let mut walk = Self {
            frames: vec![(raw.ip, true)],
            quality: StackQuality::Broken,
            met_unknown_code: false,
        };
        let mut registers = Registers {
            ip: raw.ip,
            sp: raw.sp,
            fp: raw.fp,
        };
        let mut exact = true;
        let mut read = |address| read_word(raw, address);
        walk.quality = loop {
            match next(space, registers, exact, &mut read) {
                Ok(Found::Frame(found, is_exact)) => {
                    if !space.is_code(lookup(found.ip, is_exact)) {
                        walk.met_unknown_code = true;
                        break StackQuality::Broken;
                    }
                    if walk.frames.len() > MAX_FRAMES {
                        break StackQuality::Cut;
                    }
                    walk.frames.push((found.ip, is_exact));
                    (registers, exact) = (found, is_exact);
                }
                Ok(Found::End) => break StackQuality::Complete,
                Ok(Found::NoCode) => {
                    walk.met_unknown_code = true;
                    break StackQuality::Broken;
                }
                Err(ReadError::Unreadable(address)) if is_beyond_copy(raw, address) => {
                    break StackQuality::Cut;
                }
                Err(_) => break StackQuality::Broken,
            }
        };
        walk
    }

    fn agrees(&self, kernel_frames: &[u64]) -> bool {
        self.frames[1..]
            .iter()
            .map(|&(address, _)| address)
            .eq(kernel_frames.iter().copied())
    }

    /// Where this walk failed, the kernel's frame-pointer walk may have come further. It is not
    /// believed to be right: the caller of a function without a frame pointer is missing from it.
    fn take_kernels_if_longer(&mut self, raw: &RawStack<'_>, space: &Space) {
        // Of a process that was gone before its maps could be read nothing is believed: what is not known to
        // be code may be any word of its stack.
        let is_code = |&address: &u64| space.is_code(lookup(address, false));
        let believable = raw
            .kernel_frames
            .iter()
            .take_while(|&address| is_code(address))
            .count();
        if believable < self.frames.len() {
            return;
        }
        self.frames.truncate(1);
        self.frames.extend(
            raw.kernel_frames[..believable]
                .iter()
                .map(|&address| (address, false)),
        );
        self.quality = StackQuality::Broken;
    }

    /// The rules of all frames but those that a signal has interrupted: such a walk is none for the
    /// kernel, and their addresses are no return addresses.
    fn rules(&self, space: &mut Space) -> Vec<(u64, Rule)> {
        let mut rules = Vec::new();
        for (at, &(address, exact)) in self.frames.iter().enumerate() {
            if exact && at > 0 {
                break;
            }
            let rule = space.exit(lookup(address, exact)).and_then(Exit::rule);
            // The first frame's is always asked for.
            if let Some(rule) = rule.filter(|rule| at == 0 || *rule != Rule::FRAME_POINTER) {
                rules.push((address, rule));
            }
        }
        rules
    }

    fn places(&self, space: &Space) -> Vec<Place> {
        let place = |&(address, exact)| space.place(address, lookup(address, exact));
        self.frames.iter().map(place).collect()
    }
}

enum Found {
    /// The caller, and whether its instruction pointer is exact.
    Frame(Registers, bool),
    /// There is none.
    End,
    /// The frame itself lies in no executable mapping.
    NoCode,
}

/// From one frame to its caller.
fn next(
    space: &mut Space,
    registers: Registers,
    exact: bool,
    read: &mut dyn FnMut(u64) -> Option<u64>,
) -> Result<Found, ReadError> {
    let lookup = lookup(registers.ip, exact);
    let Some(exit) = space.exit(lookup) else {
        return Ok(Found::NoCode);
    };
    let next = match exit {
        Exit::Outermost => Next::End,
        // A frame pointer of 0 ends a chain, but not in a function that has set it up.
        Exit::Plain(rule) if rule.base == 1 && registers.fp == 0 => {
            return Err(ReadError::Nonsense);
        }
        Exit::Plain(_) => space.walker().step(registers, exact, read)?,
        Exit::Unknown => space.walker().step_by_frame_pointer(registers, read)?,
        Exit::Hidden(_) | Exit::Odd => {
            let (cfi, address) = space.cfi(lookup).ok_or(ReadError::Nonsense)?;
            return match cfi.step(address, registers, read)? {
                Step::Caller(caller) if caller.ip == 0 => Ok(Found::End),
                // A frame lies above what it has called; else this would go round in circles.
                Step::Caller(caller) if caller.sp <= registers.sp => Err(ReadError::Nonsense),
                Step::Caller(caller) => Ok(Found::Frame(caller, false)),
                Step::Interrupted(caller) => Ok(Found::Frame(caller, true)),
            };
        }
    };
    Ok(match next {
        Next::Caller(caller) => Found::Frame(caller, false),
        Next::End => Found::End,
    })
}

/// A return address may already be the next function's: what called is before it.
fn lookup(address: u64, exact: bool) -> u64 {
    if exact {
        address
    } else {
        address.wrapping_sub(1)
    }
}

fn read_word(raw: &RawStack<'_>, address: u64) -> Option<u64> {
    let offset = usize::try_from(address.checked_sub(raw.sp)?).ok()?;
    let bytes = raw.copied.get(offset..offset.checked_add(8)?)?;
    bytes.try_into().ok().map(u64::from_ne_bytes)
}

/// Whether the walk failed only because not enough was copied.
fn is_beyond_copy(raw: &RawStack<'_>, address: u64) -> bool {
    let copied_end = raw.sp.saturating_add(raw.copied.len() as u64);
    let cut = !raw.copied.is_empty() || raw.flags & (flags::PRESSURE | flags::CUT) != 0;
    cut && address.saturating_add(8) > copied_end
        && address < copied_end.saturating_add(STACK_REACH)
}
