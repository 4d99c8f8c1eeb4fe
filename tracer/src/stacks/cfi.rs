//! Call frame information: how to leave a function at a given pc (DWARF 5, 6.4; `.eh_frame` as in
//! the LSB core specification, chapter 10).
//!
//! framehop executes ordinary rules, fast. What it does not tell is what is needed besides: whether
//! a pc is covered at all (else frame pointers are followed, also in the first frame), and the rule
//! itself, for the kernel to follow. And some rows are beyond it: signal trampolines (the pc below is
//! exact), expressions that read memory (realigned frames), `.debug_frame` beside an `.eh_frame`
//! that covers only the start-up code. Those are evaluated here.

use std::sync::{Mutex, OnceLock};

use gimli::{
    BaseAddresses, CfaRule, CieOrFde, DebugFrame, EhFrame, EhFrameHdr, EndianSlice, Evaluation,
    EvaluationResult, LittleEndian, Location, Register, RegisterRule, UnwindContext, UnwindSection,
    UnwindTableRow, Value,
};

use super::arch::{self, Registers, StepError};
use super::exit::Exit;
use super::layout::{Table, Tables};

/// The most steps of one DWARF expression: the file is the target's, and an expression can loop.
const MAX_STEPS: u32 = 1000;

/// The largest frame, bytes, that framehop can leave: it keeps where the frame pointer is saved as a
/// signed number of words, in 16 bits.
const MOST_OFFSET: i32 = 8 * i16::MAX as i32;

type Slice<'a> = EndianSlice<'a, LittleEndian>;
type UnwindRow = UnwindTableRow<usize>;

/// What [`Cfi::step`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The registers of code that has called, `ip` a return address.
    Calling(Registers),
    /// Those of code that a signal has interrupted, `ip` exact.
    Interrupted(Registers),
}

/// The unwind tables of one file.
#[derive(Debug, Default)]
pub struct Cfi {
    tables: Tables,
    bases: BaseAddresses,
    /// FDEs of `.eh_frame` where it has no table, and of `.debug_frame`: (begin, end, offset).
    eh_index: OnceLock<Vec<(u64, u64, usize)>>,
    debug_index: OnceLock<Vec<(u64, u64, usize)>>,
    context: Mutex<UnwindContext<usize>>,
}

impl Cfi {
    /// From a file's tables.
    #[must_use]
    pub fn new(mut tables: Tables) -> Self {
        tables.eh_frame_hdr = tables.eh_frame_hdr.filter(is_usual_header);
        let start = |section: &Option<Table>| section.as_ref().map_or(0, |found| found.address);
        let bases = BaseAddresses::default()
            .set_eh_frame(start(&tables.eh_frame))
            .set_eh_frame_hdr(start(&tables.eh_frame_hdr))
            .set_text(tables.text.as_ref().map_or(0, |range| range.start))
            .set_got(tables.got.as_ref().map_or(0, |range| range.start));
        Self {
            tables,
            bases,
            ..Self::default()
        }
    }

    /// The tables.
    #[must_use]
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// How to leave the function at `address` (the file's own addressing; of a return address the
    /// byte before it).
    #[must_use]
    pub fn exit(&self, address: u64) -> Exit {
        let classify = |row: &UnwindRow, signal: bool, ours: bool| {
            if matches!(
                row.register(arch::RETURN_ADDRESS),
                None | Some(RegisterRule::Undefined)
            ) {
                return Exit::Outermost;
            }
            match arch::rule(row) {
                Some(rule) if !signal && (ours || rule.offset > MOST_OFFSET) => Exit::Hidden(rule),
                Some(rule) if !signal => Exit::Plain(rule),
                _ => Exit::Odd,
            }
        };
        let hidden = self.tables.eh_frame.is_some();
        let exit = self
            .eh_row(address, |row, signal, _| classify(row, signal, false))
            .or_else(|| self.debug_row(address, |row, signal, _| classify(row, signal, hidden)))
            .unwrap_or(Exit::Unknown);
        match &self.tables.go {
            Some(go) => go.exit(address, exit),
            None => exit,
        }
    }

    /// Leaves the function at `address` (as for [`Cfi::exit`]) by evaluating its row in full.
    ///
    /// # Errors
    /// See [`StepError`].
    pub fn step(
        &self,
        address: u64,
        registers: Registers,
        read: &mut dyn FnMut(u64) -> Option<u64>,
    ) -> Result<Caller, StepError> {
        let mut evaluate = |row: &UnwindRow, signal: bool, section: Slice<'_>| {
            let caller = Evaluator {
                registers,
                section,
                read: &mut *read,
            }
            .caller(row)?;
            Ok(if signal {
                Caller::Interrupted(caller)
            } else {
                Caller::Calling(caller)
            })
        };
        self.eh_row(address, &mut evaluate)
            .or_else(|| self.debug_row(address, evaluate))
            .unwrap_or(Err(StepError::Nonsense))
    }

    /// Calls `with` with the row of `.eh_frame` that covers `address`, whether it is a signal
    /// trampoline's, and the section.
    fn eh_row<T>(
        &self,
        address: u64,
        with: impl FnOnce(&UnwindRow, bool, Slice<'_>) -> T,
    ) -> Option<T> {
        let section = self.tables.eh_frame.as_ref()?;
        let mut frames = EhFrame::new(&section.data, LittleEndian);
        frames.set_address_size(8);
        let offset = match self.tables.eh_frame_hdr.as_ref() {
            Some(header) => {
                let header = EhFrameHdr::new(&header.data, LittleEndian);
                let header = header.parse(&self.bases, 8).ok()?;
                let table = header.table()?;
                // Checked here: gimli subtracts the one from the other.
                let pointer = table.lookup(address, &self.bases).ok()?;
                if pointer.pointer() < header.eh_frame_ptr().pointer() {
                    return None;
                }
                table.pointer_to_offset(pointer).ok()?.0
            }
            None => find(
                self.eh_index.get_or_init(|| index(&frames, &self.bases)),
                address,
            )?,
        };
        self.row(
            &frames,
            offset,
            address,
            Slice::new(&section.data, LittleEndian),
            with,
        )
    }

    /// The same of `.debug_frame`.
    fn debug_row<T>(
        &self,
        address: u64,
        with: impl FnOnce(&UnwindRow, bool, Slice<'_>) -> T,
    ) -> Option<T> {
        let section = self.tables.debug_frame.as_ref()?;
        let mut frames = DebugFrame::new(&section.data, LittleEndian);
        frames.set_address_size(8);
        let index = self.debug_index.get_or_init(|| index(&frames, &self.bases));
        let offset = find(index, address)?;
        self.row(
            &frames,
            offset,
            address,
            Slice::new(&section.data, LittleEndian),
            with,
        )
    }

    fn row<'a, S: UnwindSection<Slice<'a>>, T>(
        &self,
        frames: &S,
        offset: usize,
        address: u64,
        section: Slice<'a>,
        with: impl FnOnce(&UnwindRow, bool, Slice<'_>) -> T,
    ) -> Option<T> {
        let entry = frames
            .fde_from_offset(&self.bases, S::Offset::from(offset), S::cie_from_offset)
            .ok()?;
        if !entry.contains(address) {
            return None;
        }
        let mut context = self.context.lock().ok()?;
        let row = entry
            .unwind_info_for_address(frames, &self.bases, &mut context, address)
            .ok()?;
        Some(with(row, entry.is_signal_trampoline(), section))
    }
}

/// Whether an `.eh_frame_hdr` is what every linker writes: version 1, the table's place relative to
/// its own (4 bytes), the count (4 bytes), a sorted table of pairs relative to the section (4 bytes
/// each), and whether that table is there. Without it an index is made: gimli believes the count.
fn is_usual_header(header: &Table) -> bool {
    let count = header
        .data
        .get(8..12)
        .and_then(|bytes| bytes.try_into().ok());
    let count = count.map_or(0, |bytes| u64::from(u32::from_le_bytes(bytes)));
    header.data.starts_with(&[1, 0x1b, 0x03, 0x3b])
        && count > 0
        && 12 + count * 8 <= header.data.len() as u64
}

fn index<'a, S: UnwindSection<Slice<'a>>>(
    frames: &S,
    bases: &BaseAddresses,
) -> Vec<(u64, u64, usize)> {
    let mut index = Vec::new();
    let mut entries = frames.entries(bases);
    while let Ok(Some(entry)) = entries.next() {
        let CieOrFde::Fde(entry) = entry else {
            continue;
        };
        if let Ok(entry) = entry.parse(S::cie_from_offset) {
            index.push((entry.initial_address(), entry.end_address(), entry.offset()));
        }
    }
    index.sort_unstable();
    index
}

fn find(index: &[(u64, u64, usize)], address: u64) -> Option<usize> {
    let after = index.partition_point(|&(begin, ..)| begin <= address);
    let &(_, end, offset) = index.get(after.checked_sub(1)?)?;
    (address < end).then_some(offset)
}

/// Evaluates the row of one frame.
struct Evaluator<'a, 'r> {
    registers: Registers,
    section: Slice<'a>,
    read: &'r mut dyn FnMut(u64) -> Option<u64>,
}

impl Evaluator<'_, '_> {
    fn caller(&mut self, row: &UnwindRow) -> Result<Registers, StepError> {
        let cfa = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => {
                self.register(*register)?.wrapping_add_signed(*offset)
            }
            CfaRule::Expression(expression) => {
                self.evaluate(expression.offset, expression.length, None)?
            }
        };
        let ip = self.restore(row, arch::RETURN_ADDRESS, cfa, None)?;
        let fp = self.restore(row, arch::FRAME_POINTER, cfa, Some(self.registers.fp))?;
        let sp = match row.register(arch::STACK_POINTER) {
            None | Some(RegisterRule::Undefined | RegisterRule::SameValue) => cfa,
            Some(_) => self.restore(row, arch::STACK_POINTER, cfa, Some(cfa))?,
        };
        Ok(Registers { ip, sp, fp })
    }

    /// The caller's value of one register; `unchanged` is its value if the row does not say.
    fn restore(
        &mut self,
        row: &UnwindRow,
        register: Register,
        cfa: u64,
        unchanged: Option<u64>,
    ) -> Result<u64, StepError> {
        match row.register(register) {
            None | Some(RegisterRule::Undefined | RegisterRule::SameValue) => {
                unchanged.ok_or(StepError::Nonsense)
            }
            Some(RegisterRule::Offset(offset)) => self.load(cfa.wrapping_add_signed(offset)),
            Some(RegisterRule::ValOffset(offset)) => Ok(cfa.wrapping_add_signed(offset)),
            Some(RegisterRule::Register(register)) => self.register(register),
            Some(RegisterRule::Expression(expression)) => {
                let address = self.evaluate(expression.offset, expression.length, Some(cfa))?;
                self.load(address)
            }
            Some(RegisterRule::ValExpression(expression)) => {
                self.evaluate(expression.offset, expression.length, Some(cfa))
            }
            Some(RegisterRule::Constant(value)) => Ok(value),
            Some(RegisterRule::Architectural) => Err(StepError::Nonsense),
        }
    }

    fn register(&self, register: Register) -> Result<u64, StepError> {
        arch::register(&self.registers, register).ok_or(StepError::Nonsense)
    }

    fn load(&mut self, address: u64) -> Result<u64, StepError> {
        (self.read)(address).ok_or(StepError::Unreadable(address))
    }

    /// The value of an expression at this place of the section.
    fn evaluate(
        &mut self,
        offset: usize,
        length: usize,
        initial: Option<u64>,
    ) -> Result<u64, StepError> {
        let unsupported = |_| StepError::Nonsense;
        let end = offset.checked_add(length).ok_or(StepError::Nonsense)?;
        let bytes = self
            .section
            .slice()
            .get(offset..end)
            .ok_or(StepError::Nonsense)?;
        let encoding = gimli::Encoding {
            address_size: 8,
            format: gimli::Format::Dwarf32,
            version: 5,
        };
        let mut evaluation = Evaluation::new(Slice::new(bytes, LittleEndian), encoding);
        evaluation.set_max_iterations(MAX_STEPS);
        if let Some(value) = initial {
            evaluation.set_initial_value(value);
        }
        let mut result = evaluation.evaluate().map_err(unsupported)?;
        loop {
            result = match result {
                EvaluationResult::Complete => break,
                EvaluationResult::RequiresRegister { register, .. } => {
                    let value = Value::Generic(self.register(register)?);
                    evaluation
                        .resume_with_register(value)
                        .map_err(unsupported)?
                }
                EvaluationResult::RequiresMemory {
                    address,
                    size: 8,
                    space: None,
                    ..
                } => {
                    let value = Value::Generic(self.load(address)?);
                    evaluation.resume_with_memory(value).map_err(unsupported)?
                }
                _ => return Err(StepError::Nonsense),
            };
        }
        match evaluation.as_result().last().map(|piece| &piece.location) {
            Some(Location::Address { address }) => Ok(*address),
            _ => Err(StepError::Nonsense),
        }
    }
}
