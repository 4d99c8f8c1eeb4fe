//! Named stacks, and which of them are the same call site.

use std::collections::HashMap;

use tracer_ledger::event::{Cause, Frame, FrameKind, Incomplete, Stack, StackId, StackQuality};

/// Every stack named so far.
#[derive(Clone, Debug, Default)]
pub struct Stacks {
    named: HashMap<StackId, Stack>,
    causes: HashMap<StackId, (Cause, String)>,
}

impl Stacks {
    /// A stack got its names, or better ones.
    pub fn insert(&mut self, stack: &Stack) {
        self.named.insert(stack.id, stack.clone());
    }

    /// Why a stack is not complete.
    pub fn insert_cause(&mut self, why: &Incomplete) {
        self.causes
            .insert(why.stack, (why.cause, why.module.clone()));
    }

    /// Why a stack is not complete, and the file that is to blame; `None`: nobody said.
    #[must_use]
    pub fn cause(&self, id: StackId) -> Option<(Cause, &str)> {
        let (cause, module) = self.causes.get(&id)?;
        Some((*cause, module))
    }

    /// Frames and quality; nothing for a stack that was lost or never named.
    #[must_use]
    pub fn get(&self, id: StackId) -> (&[Frame], StackQuality) {
        self.named
            .get(&id)
            .map_or((&[], StackQuality::None), |stack| {
                (&stack.frames, stack.quality)
            })
    }

    /// What makes two stacks one call site: functions, modules and offsets. Code compiled at run
    /// time moves, so where it has a name, the name and the line stand for the address. All stacks
    /// of which nothing is known are one.
    #[must_use]
    pub fn identity(&self, id: StackId) -> Vec<FrameIdentity<'_>> {
        self.get(id).0.iter().map(FrameIdentity::of).collect()
    }
}

impl Stacks {
    /// The same for code that touches memory: that may be any instruction of a function that has a name.
    #[must_use]
    pub fn identity_of_touch(&self, id: StackId) -> Vec<FrameIdentity<'_>> {
        let mut identity = self.identity(id);
        for frame in &mut identity {
            if frame.function.is_some() {
                (frame.offset, frame.line) = (0, None);
            }
            // Those that were inlined into the innermost function lie at the same instruction.
            if !frame.inlined {
                break;
            }
        }
        identity
    }
}

/// See [`Stacks::identity`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FrameIdentity<'a> {
    function: Option<&'a str>,
    module: Option<&'a str>,
    offset: u64,
    file: Option<&'a str>,
    line: Option<u32>,
    inlined: bool,
}

impl<'a> FrameIdentity<'a> {
    fn of(frame: &'a Frame) -> Self {
        let moves = matches!(frame.kind, FrameKind::Jit | FrameKind::Interpreted)
            && frame.function.is_some();
        Self {
            function: frame.function.as_deref(),
            module: frame.module.as_deref(),
            offset: if moves { 0 } else { frame.offset },
            file: frame.file.as_deref(),
            line: frame.line,
            inlined: frame.inlined,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Stacks;
    use tracer_ledger::event::{Frame, FrameKind, Stack, StackId, StackQuality};

    fn stack(id: u32, kind: FrameKind, offset: u64) -> Stack {
        Stack {
            id: StackId(id),
            quality: StackQuality::Complete,
            frames: vec![Frame {
                function: Some("f".into()),
                offset,
                kind,
                ..Frame::default()
            }],
        }
    }

    #[test]
    fn compiled_code_that_moved_is_the_same_site_and_another_offset_in_a_file_is_not() {
        let mut stacks = Stacks::default();
        for (id, kind, offset) in [
            (1, FrameKind::Native, 1),
            (2, FrameKind::Native, 2),
            (3, FrameKind::Jit, 1),
            (4, FrameKind::Jit, 2),
        ] {
            stacks.insert(&stack(id, kind, offset));
        }
        let identity = |id| stacks.identity(StackId(id));
        assert_ne!(identity(1), identity(2));
        assert_eq!(identity(3), identity(4));
        assert_eq!(identity(8), identity(9));
    }
}
