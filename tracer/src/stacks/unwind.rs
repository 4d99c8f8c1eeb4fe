//! From registers and a copy of stack bytes to return addresses.

use std::{collections::HashMap, ops::Range, path::Path};

use tracer_common::stack::{BY_RULE, MAX_FRAMES, Rule, flags};

use super::arch::{Next, Registers, StepError};
use super::cfi::Caller;
use super::code_address::CodeAddress;
use super::exit::Exit;
use super::files::Files;
use super::modules::{CodeMapping, Place, Space};
use super::raw::RawStack;
use crate::capture::inode::Inode;
use tracer_ledger::event::{Cause, Pid, SpaceId, StackQuality};

/// A stack as far as it could be unwound.
#[derive(Clone, Debug, Default)]
pub struct Unwound {
    /// Innermost first: the instruction pointer, then return addresses.
    pub frames: Vec<u64>,
    /// Where each frame lies, for naming; as many as `frames`.
    pub(crate) places: Vec<Place>,
    /// How much is known.
    pub quality: StackQuality,
    /// Why it is not complete, and the path of the file whose code could not be left, if there is one.
    pub incomplete: Option<(Cause, String)>,
    /// The kernel's walk found exactly these frames: its hash is a valid id for this stack.
    pub agrees_with_kernel: bool,
    /// How the kernel can find the callers of these frames, where frame pointers do not lead to them:
    /// address and rule. Not among them is what no table covers (code made at run time: the frame
    /// pointer leads on), and what has too complicated a row.
    pub rules: Vec<(u64, Rule)>,
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

    /// Gets to know files that processes are likely to have, before the first of them is gone.
    pub fn know(&mut self, program: Option<&Path>) {
        self.files.know_own();
        if let Some(path) = program {
            self.files.know_program(path);
        }
    }

    /// The path of a file that was mapped is told: its process may be gone before its maps can be read.
    pub(crate) fn told(&mut self, inode: Inode, path: &str) {
        self.files.told(inode, path);
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
        walk.follow_kernel(raw, space);
        let rules = walk.rules(space);
        let agrees_with_kernel =
            walk.quality != StackQuality::Broken && walk.agrees(raw.kernel_frames);
        if walk.quality == StackQuality::Broken || raw.copied.bytes.is_empty() {
            walk.take_kernels_if_longer(raw, space);
        }
        let incomplete = walk.why(raw, space);
        let places = walk.places(space);
        Unwound {
            frames: walk.frames.iter().map(|frame| frame.get()).collect(),
            places,
            quality: walk.quality,
            incomplete,
            agrees_with_kernel,
            rules,
        }
    }

    /// A program begins with this code. What of it is not known is looked for at once: the process may be
    /// gone soon.
    pub(crate) fn begun(&mut self, pid: Pid, space: SpaceId, code: &[CodeMapping]) {
        let mut begun = Space::begun(code, &mut self.files);
        begun.freshen(pid, &mut self.files);
        self.spaces.insert(space, begun);
    }

    /// A file's code was mapped where none was known, or is any more. A file that is not known is looked for
    /// at once: it may be gone soon.
    pub(crate) fn mapped(&mut self, pid: Pid, space: SpaceId, mapped: &CodeMapping) {
        if let Some(space) = self.spaces.get_mut(&space) {
            space.mapped(mapped, &mut self.files);
            space.freshen(pid, &mut self.files);
        }
    }

    /// Nobody knows what has changed in this address space: its maps are read again before its next stack.
    /// (Memory without a file needs no such call: it is looked for when a pc is found in no known mapping.)
    pub fn modules_changed(&mut self, space: SpaceId) {
        if let Some(space) = self.spaces.get_mut(&space) {
            space.distrust();
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
            .is_some_and(|space| space.concerns(range, of_file))
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
    frames: Vec<CodeAddress>,
    quality: StackQuality,
    met_unknown_code: bool,
    /// Where it was led to that is no code, as far as it is known.
    led_to: Option<u64>,
    /// It ended where memory was wanted that was not sent.
    wanted_memory: bool,
    /// The frame that was to blame, if the walk did not reach the end: the last one from which the frame
    /// pointer was followed because nothing told better, else the last.
    astray: usize,
}

impl Walk {
    fn of(raw: &RawStack<'_>, space: &mut Space) -> Self {
        let mut walk = Self {
            frames: vec![CodeAddress::Exact(raw.ip)],
            quality: StackQuality::Broken,
            met_unknown_code: false,
            led_to: None,
            wanted_memory: false,
            astray: 0,
        };
        let mut registers = Registers {
            ip: raw.ip,
            sp: raw.sp,
            fp: raw.fp,
        };
        let mut at = CodeAddress::Exact(raw.ip);
        let mut interrupted = false;
        let mut read = |address| raw.word(address);
        walk.quality = loop {
            match next(space, registers, at, &mut read) {
                Ok(Above::Frame(found, found_at)) => {
                    if !space.is_code(found_at.lookup()) {
                        log::trace!("{registers:x?} leads to {found:x?}, which is no code");
                        walk.met_unknown_code = true;
                        walk.led_to = Some(found_at.lookup());
                        break StackQuality::Broken;
                    }
                    if walk.frames.len() > MAX_FRAMES {
                        break StackQuality::Cut;
                    }
                    walk.frames.push(found_at);
                    interrupted |= found_at.is_exact() && raw.word(found.sp).is_none();
                    (registers, at) = (found, found_at);
                }
                Ok(Above::End) => break StackQuality::Complete,
                Ok(Above::NoCode) => {
                    walk.met_unknown_code = true;
                    break StackQuality::Broken;
                }
                Err(StepError::Unreadable(address)) if raw.is_beyond_copy(address, interrupted) => {
                    log::trace!(
                        "{registers:x?} leads to {address:#x}, beyond {} bytes from {:#x}",
                        raw.copied.bytes.len(),
                        raw.sp
                    );
                    walk.wanted_memory = true;
                    break StackQuality::Cut;
                }
                Err(error) => {
                    walk.wanted_memory = matches!(error, StepError::Unreadable(_));
                    log::trace!("{registers:x?} leads nowhere: {error:x?}");
                    break StackQuality::Broken;
                }
            }
        };
        let unknown = |&at: &CodeAddress| matches!(exit(space, at), Some(Exit::Unknown));
        let last = walk.frames.len() - 1;
        walk.astray = walk.frames.iter().rposition(unknown).unwrap_or(last);
        walk
    }

    /// Why the walk is not complete, and in which file it came to its end.
    fn why(&self, raw: &RawStack<'_>, space: &mut Space) -> Option<(Cause, String)> {
        let at = self.frames[self.astray];
        let pressure = raw.flags & flags::PRESSURE != 0;
        let module = || match space.place(at) {
            Place::File { path, .. } | Place::Mapping { path, .. } => path.as_ref().to_owned(),
            Place::Runtime { .. } | Place::Nowhere { .. } => String::new(),
        };
        match self.quality {
            StackQuality::Complete => None,
            StackQuality::Cut if self.frames.len() > MAX_FRAMES => {
                Some((Cause::TooDeep, String::new()))
            }
            _ if pressure => Some((Cause::Pressure, String::new())),
            StackQuality::Cut => Some((Cause::BeyondCopy, module())),
            // Nothing is known of it, or only of the program that it began after this one, or not of each file.
            StackQuality::Broken | StackQuality::None
                if !space.is_code(raw.ip)
                    || self.led_to.is_some_and(|to| space.is_of_unseen_file(to)) =>
            {
                Some((Cause::Gone, String::new()))
            }
            StackQuality::Broken | StackQuality::None => {
                let module = module();
                let cause = match exit(space, at) {
                    Some(Exit::Unknown) if module.is_empty() => Cause::RuntimeCode,
                    Some(Exit::Unknown) => Cause::NoUnwindInformation,
                    _ => Cause::Astray,
                };
                Some((cause, module))
            }
        }
    }

    /// Where this walk ended for want of memory, the kernel has read on, in the stack as it was. Its steps
    /// are believed as far as they went by what this walk would have gone by.
    fn follow_kernel(&mut self, raw: &RawStack<'_>, space: &mut Space) {
        if !self.wanted_memory || !self.agrees_so_far(raw.kernel_frames) {
            return;
        }
        for word in &raw.kernel_frames[self.frames.len() - 1..] {
            let by_rule = word & BY_RULE != 0;
            let believed = match self.last_exit(space) {
                Some(Exit::Outermost) => return self.quality = StackQuality::Complete,
                // Of these the kernel need not be told.
                Some(exit) if exit.rule() == Some(Rule::FRAME_POINTER) => true,
                Some(exit) if exit.rule().is_some() => by_rule,
                Some(Exit::Unknown) => !by_rule,
                _ => false,
            };
            let caller = CodeAddress::Return(pure(word));
            if !believed || !space.is_code(caller.lookup()) {
                return;
            }
            self.frames.push(caller);
            self.astray = self.frames.len() - 1;
        }
        let ended = raw.flags & (flags::BROKEN | flags::CUT) == 0;
        match self.last_exit(space) {
            Some(Exit::Outermost) => self.quality = StackQuality::Complete,
            Some(Exit::Unknown | Exit::FramePointer) if ended => {
                self.quality = StackQuality::Complete;
            }
            _ => {}
        }
    }

    fn last_exit(&self, space: &mut Space) -> Option<Exit> {
        exit(space, *self.frames.last()?)
    }

    /// The kernel has found the same frames at the least.
    fn agrees_so_far(&self, kernel_frames: &[u64]) -> bool {
        let own = &self.frames[1..];
        let same = |(own, word): (&CodeAddress, &u64)| *own == CodeAddress::Return(pure(word));
        own.len() <= kernel_frames.len() && own.iter().zip(kernel_frames).all(same)
    }

    fn agrees(&self, kernel_frames: &[u64]) -> bool {
        self.frames[1..]
            .iter()
            .map(|frame| frame.get())
            .eq(kernel_frames.iter().map(pure))
    }

    /// Where this walk failed, the kernel's frame-pointer walk may have come further. It is not
    /// believed to be right: the caller of a function without a frame pointer is missing from it.
    fn take_kernels_if_longer(&mut self, raw: &RawStack<'_>, space: &Space) {
        // Of a process that was gone before its maps could be read nothing is believed: what is not known to
        // be code may be any word of its stack.
        let frames: Vec<_> = raw
            .kernel_frames
            .iter()
            .map(|word| CodeAddress::Return(pure(word)))
            .collect();
        let believable = frames
            .iter()
            .take_while(|frame| space.is_code(frame.lookup()))
            .count();
        if believable < self.frames.len() {
            return;
        }
        self.frames.truncate(1);
        self.astray = 0;
        self.frames.extend_from_slice(&frames[..believable]);
        self.quality = StackQuality::Broken;
    }

    /// The rules of all frames but those that a signal has interrupted: such a walk is none for the
    /// kernel, and their addresses are no return addresses.
    fn rules(&self, space: &mut Space) -> Vec<(u64, Rule)> {
        let mut rules = Vec::new();
        for (number, &at) in self.frames.iter().enumerate() {
            if at.is_exact() && number > 0 {
                break;
            }
            let rule = exit(space, at).and_then(Exit::rule);
            if let Some(rule) = rule.filter(|rule| *rule != Rule::FRAME_POINTER) {
                rules.push((at.get(), rule));
            }
        }
        rules
    }

    fn places(&self, space: &Space) -> Vec<Place> {
        self.frames.iter().map(|&at| space.place(at)).collect()
    }
}

/// What is above a frame.
enum Above {
    /// The caller, and its address.
    Frame(Registers, CodeAddress),
    /// There is none.
    End,
    /// The frame itself lies in no executable mapping.
    NoCode,
}

/// From one frame to its caller.
fn next(
    space: &mut Space,
    registers: Registers,
    at: CodeAddress,
    read: &mut dyn FnMut(u64) -> Option<u64>,
) -> Result<Above, StepError> {
    let Some(exit) = exit(space, at) else {
        return Ok(Above::NoCode);
    };
    let next = match exit {
        Exit::Outermost => Next::End,
        // A frame pointer of 0 ends a chain, but not in a function that has set it up.
        Exit::Plain(rule) if rule.base == 1 && registers.fp == 0 => {
            return Err(StepError::Nonsense);
        }
        Exit::Plain(_) => space.walker().step(registers, at.is_exact(), read)?,
        Exit::Unknown if at.is_exact() && is_called_from(space, at, registers, read) => {
            follow(JUST_CALLED, registers, read)?
        }
        Exit::Unknown => space.walker().step_by_frame_pointer(registers, read)?,
        Exit::FramePointer if registers.fp == 0 => Next::End,
        Exit::FramePointer => follow(Rule::FRAME_POINTER, registers, read)?,
        Exit::Hidden(rule) => match follow(rule, registers, read)? {
            // A frame lies above what it has called; else this would go round in circles.
            Next::Caller(caller) if caller.sp <= registers.sp => {
                return Err(StepError::Nonsense);
            }
            next => next,
        },
        Exit::Odd => {
            let (cfi, address) = space.cfi(at.lookup()).ok_or(StepError::Nonsense)?;
            return match cfi.step(address, registers, read)? {
                Caller::Calling(caller) if caller.ip == 0 => Ok(Above::End),
                Caller::Calling(caller) if caller.sp <= registers.sp => Err(StepError::Nonsense),
                Caller::Calling(caller) => Ok(called_from(caller)),
                Caller::Interrupted(caller) => {
                    Ok(Above::Frame(caller, CodeAddress::Exact(caller.ip)))
                }
            };
        }
    };
    Ok(match next {
        Next::Caller(caller) => called_from(caller),
        Next::End => Above::End,
    })
}

/// A function that has put nothing on the stack.
const JUST_CALLED: Rule = Rule {
    offset: 8,
    fp_offset: 0,
    base: 0,
    reserved: 0,
};

/// Whether a system call was made by a function of a file that says nothing of itself there, right after it was called:
/// glibc's `clone` and `clone3` do (sysdeps/unix/sysv/linux/x86_64/clone3.S), of which the new thread could not be
/// unwound. Then the stack begins with where it goes back to, in code that does say how to leave it.
fn is_called_from(
    space: &mut Space,
    at: CodeAddress,
    registers: Registers,
    read: &mut dyn FnMut(u64) -> Option<u64>,
) -> bool {
    if !matches!(space.place(at), Place::File { .. }) {
        return false;
    }
    let caller = read(registers.sp).map(CodeAddress::Return);
    caller.is_some_and(|caller| {
        space.is_code(caller.lookup()) && !matches!(exit(space, caller), None | Some(Exit::Unknown))
    })
}

fn called_from(caller: Registers) -> Above {
    Above::Frame(caller, CodeAddress::Return(caller.ip))
}

/// How to leave the function at this address; `None` if there is no code.
fn exit(space: &mut Space, at: CodeAddress) -> Option<Exit> {
    match space.exit(at.lookup())? {
        // No call has left the address where a function begins: it was put there for a chain to end in, as
        // makecontext(3) does with glibc's `__start_context`.
        Exit::Unknown if !at.is_exact() && space.begins_function(at.get()) => Some(Exit::Outermost),
        exit => Some(exit),
    }
}

/// From one frame to its caller by its rule.
fn follow(
    rule: Rule,
    registers: Registers,
    read: &mut dyn FnMut(u64) -> Option<u64>,
) -> Result<Next, StepError> {
    let mut load = |address| read(address).ok_or(StepError::Unreadable(address));
    let base = if rule.base == 0 {
        registers.sp
    } else {
        registers.fp
    };
    let sp = base.wrapping_add_signed(rule.offset.into());
    let ip = load(sp.wrapping_sub(8))?;
    let fp = match rule.fp_offset {
        0 => registers.fp,
        offset => load(sp.wrapping_add_signed(offset.into()))?,
    };
    Ok(if ip == 0 {
        Next::End
    } else {
        Next::Caller(Registers { ip, sp, fp })
    })
}

/// A return address of the kernel's, without its mark.
fn pure(word: &u64) -> u64 {
    word & !BY_RULE
}
