//! The machine's part of unwinding: registers, framehop's types, the shape of a [`Rule`]. Everything
//! else in [`super`] is the same on every 64-bit machine.

use framehop::{FrameAddress, Unwinder as _};
use gimli::{CfaRule, Register, RegisterRule, UnwindTableRow};
use tracer_common::stack::Rule;

use super::layout::Tables;

#[cfg(target_arch = "x86_64")]
mod machine {
    //! System V ABI, AMD64 supplement, figure 3.36: DWARF register numbers.
    use gimli::{Register, X86_64};

    /// The stack pointer.
    pub const STACK_POINTER: Register = X86_64::RSP;
    /// The frame pointer.
    pub const FRAME_POINTER: Register = X86_64::RBP;
    /// The return address.
    pub const RETURN_ADDRESS: Register = X86_64::RA;

    pub type Unwinder = framehop::x86_64::UnwinderX86_64<super::Bytes>;
    pub type Cache = framehop::x86_64::CacheX86_64;
    pub type UnwindRegs = framehop::x86_64::UnwindRegsX86_64;

    pub fn from(registers: &super::Registers) -> UnwindRegs {
        UnwindRegs::new(registers.ip, registers.sp, registers.fp)
    }

    pub fn back(ip: u64, registers: &UnwindRegs) -> super::Registers {
        super::Registers {
            ip,
            sp: registers.sp(),
            fp: registers.bp(),
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod machine {
    //! DWARF for the Arm 64-bit architecture, 4.1. The link register is not among what the kernel
    //! sends yet: a leaf that has not saved it ends the walk.
    use gimli::{AArch64, Register};

    /// The stack pointer.
    pub const STACK_POINTER: Register = AArch64::SP;
    /// The frame pointer.
    pub const FRAME_POINTER: Register = AArch64::X29;
    /// The return address.
    pub const RETURN_ADDRESS: Register = AArch64::X30;

    pub type Unwinder = framehop::aarch64::UnwinderAarch64<super::Bytes>;
    pub type Cache = framehop::aarch64::CacheAarch64;
    pub type UnwindRegs = framehop::aarch64::UnwindRegsAarch64;

    pub fn from(registers: &super::Registers) -> UnwindRegs {
        UnwindRegs::new(registers.ip, registers.sp, registers.fp)
    }

    pub fn back(ip: u64, registers: &UnwindRegs) -> super::Registers {
        super::Registers {
            ip,
            sp: registers.sp(),
            fp: registers.fp(),
        }
    }
}

pub use machine::{FRAME_POINTER, RETURN_ADDRESS, STACK_POINTER};

/// Section bytes as framehop holds them.
pub type Bytes = std::sync::Arc<[u8]>;
/// A module as framehop holds it.
pub type Module = framehop::Module<Bytes>;

/// The registers that are known of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// Instruction pointer.
    pub ip: u64,
    /// Stack pointer.
    pub sp: u64,
    /// Frame pointer.
    pub fp: u64,
}

/// The value of a register by its DWARF number, if it is known.
#[must_use]
pub fn register(registers: &Registers, number: Register) -> Option<u64> {
    match number {
        RETURN_ADDRESS => Some(registers.ip),
        STACK_POINTER => Some(registers.sp),
        FRAME_POINTER => Some(registers.fp),
        _ => None,
    }
}

/// A row as a [`Rule`]: `None` if it is of another shape.
#[must_use]
pub fn rule(row: &UnwindTableRow<usize>) -> Option<Rule> {
    let CfaRule::RegisterAndOffset { register, offset } = row.cfa() else {
        return None;
    };
    let base = match *register {
        STACK_POINTER => 0,
        FRAME_POINTER => 1,
        _ => return None,
    };
    // The call left the return address right below the caller's stack pointer.
    if row.register(RETURN_ADDRESS) != Some(RegisterRule::Offset(-8)) {
        return None;
    }
    let fp_offset = match row.register(FRAME_POINTER) {
        None | Some(RegisterRule::Undefined | RegisterRule::SameValue) => 0,
        Some(RegisterRule::Offset(offset)) if offset != 0 => i16::try_from(offset).ok()?,
        Some(_) => return None,
    };
    Some(Rule {
        offset: i32::try_from(*offset).ok()?,
        fp_offset,
        base,
        reserved: 0,
    })
}

/// Why a frame's caller was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepError {
    /// This stack address could not be read.
    Unreadable(u64),
    /// The registers or the tables make no sense, or want what is not known here.
    Nonsense,
}

/// What [`Walker::step`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The caller's registers.
    Caller(Registers),
    /// The chain has ended: return address 0, or frame pointer 0 where the frame pointer is followed.
    End,
}

/// framehop for one address space.
pub struct Walker {
    unwinder: machine::Unwinder,
    cache: machine::Cache,
    /// Knows no module, and so follows the frame pointer, also in the first frame: where a module
    /// does not cover the first pc, framehop takes it for a leaf's that has no frame yet, and code
    /// made at run time and V8's built-ins keep one from their first instructions on.
    blind: machine::Unwinder,
    blind_cache: machine::Cache,
}

impl Walker {
    /// With these modules, for good: another set wants another walker, so that no cached rule
    /// outlives its module.
    #[must_use]
    pub fn new(modules: impl Iterator<Item = Module>) -> Self {
        let mut unwinder = machine::Unwinder::new();
        for module in modules {
            unwinder.add_module(module);
        }
        Self {
            unwinder,
            cache: machine::Cache::new(),
            blind: machine::Unwinder::new(),
            blind_cache: machine::Cache::new(),
        }
    }

    /// From one frame to its caller, by a plain row of its module's tables. `exact` tells an
    /// instruction pointer from a return address.
    ///
    /// # Errors
    /// See [`StepError`].
    pub fn step(
        &mut self,
        registers: Registers,
        exact: bool,
        read: &mut dyn FnMut(u64) -> Option<u64>,
    ) -> Result<Next, StepError> {
        let address = if exact {
            FrameAddress::from_instruction_pointer(registers.ip)
        } else {
            FrameAddress::from_return_address(registers.ip).ok_or(StepError::Nonsense)?
        };
        unwind(&self.unwinder, &mut self.cache, address, registers, read)
    }

    /// The same by frame pointer, at a pc that nothing covers.
    ///
    /// # Errors
    /// See [`StepError`].
    pub fn step_by_frame_pointer(
        &mut self,
        registers: Registers,
        read: &mut dyn FnMut(u64) -> Option<u64>,
    ) -> Result<Next, StepError> {
        let address = FrameAddress::from_instruction_pointer(registers.ip);
        unwind(&self.blind, &mut self.blind_cache, address, registers, read)
    }
}

fn unwind(
    unwinder: &machine::Unwinder,
    cache: &mut machine::Cache,
    address: FrameAddress,
    registers: Registers,
    read: &mut dyn FnMut(u64) -> Option<u64>,
) -> Result<Next, StepError> {
    let mut regs = machine::from(&registers);
    let mut read = |address| read(address).ok_or(());
    match unwinder.unwind_frame(address, &mut regs, cache, &mut read) {
        Ok(Some(ip)) => Ok(Next::Caller(machine::back(ip, &regs))),
        Ok(None) => Ok(Next::End),
        Err(framehop::Error::CouldNotReadStack(address)) => Err(StepError::Unreadable(address)),
        Err(_) => Err(StepError::Nonsense),
    }
}

/// A file's tables as framehop wants them, for code at `range` whose file begins at `base` in memory
/// and wants to begin at `own_base`.
#[must_use]
pub fn module(
    name: &str,
    range: std::ops::Range<u64>,
    base: u64,
    own_base: u64,
    tables: &Tables,
) -> Module {
    let span = |section: &Option<super::layout::Table>| {
        section
            .as_ref()
            .map(|found| found.address..found.address + found.data.len() as u64)
    };
    let data = |section: &Option<super::layout::Table>| {
        section.as_ref().map(|found| Bytes::clone(&found.data))
    };
    let info = framehop::ExplicitModuleSectionInfo {
        base_svma: own_base,
        text_svma: tables.text.clone(),
        got_svma: tables.got.clone(),
        eh_frame_svma: span(&tables.eh_frame),
        eh_frame: data(&tables.eh_frame),
        eh_frame_hdr_svma: span(&tables.eh_frame_hdr),
        eh_frame_hdr: data(&tables.eh_frame_hdr),
        debug_frame: data(&tables.debug_frame),
        ..framehop::ExplicitModuleSectionInfo::default()
    };
    Module::new(name.to_owned(), range, base, info)
}
