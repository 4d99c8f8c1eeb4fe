//! Go's own ways with stacks (src/runtime/asm_amd64.s, cmd/internal/obj/x86/obj6.go).
//!
//! A goroutine's stack begins in `goexit`, whose caller is whatever lay there before. Parts of the runtime
//! run on the thread's own stack: who switches to it leaves the frame pointer as it was, and nothing else
//! leads back. Every function with a frame saves the frame pointer, right below the return address, and
//! points it there; `.debug_frame` does not tell that. So the frame pointer is followed wherever there is
//! a frame, as the kernel's walk does.
//!
//! The caller of a function that switches stacks is not found, only that one's caller: without a frame of
//! its own, `systemstack` has not written down who called it.

use std::ops::Range;

use super::exit::Exit;

/// Where a stack begins. `clone` is on the stack of a new thread only.
const OUTERMOST: &[&str] = &["runtime.goexit", "runtime.rt0_go", "runtime.clone"];

/// They go on on another stack.
const SWITCHING: &[&str] = &[
    "runtime.systemstack",
    "runtime.mcall",
    "runtime.morestack",
    "runtime.asmcgocall",
];

/// What the linker adds to the names of functions with arguments on the stack.
const SUFFIX: &str = ".abi0";

/// What is known of a Go program's code, in the file's own addressing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Go {
    text: Range<u64>,
    outermost: Vec<Range<u64>>,
    switching: Vec<Range<u64>>,
}

impl Go {
    /// Of a file with a `.gopclntab`: from its functions' names and addresses, which a stripped one lacks.
    #[must_use]
    pub(crate) fn new<'a>(
        text: Range<u64>,
        symbols: impl Iterator<Item = (&'a str, Range<u64>)>,
    ) -> Self {
        let mut go = Self {
            text,
            ..Self::default()
        };
        for (name, range) in symbols {
            match name.strip_suffix(SUFFIX).unwrap_or(name) {
                // Behind it comes C, if there is any.
                "runtime.text" => go.text.start = range.start,
                "runtime.etext" => go.text.end = range.start,
                name if OUTERMOST.contains(&name) => go.outermost.push(range),
                name if SWITCHING.contains(&name) => go.switching.push(range),
                _ => {}
            }
        }
        go
    }

    /// How to leave the function at `address`, which its tables would leave as `told`.
    #[must_use]
    pub(crate) fn exit(&self, address: u64, told: Exit) -> Exit {
        if !self.text.contains(&address) {
            return told;
        }
        if self.outermost.iter().any(|range| range.contains(&address)) {
            return Exit::Outermost;
        }
        match told {
            // Without a frame of its own: by the stack pointer, unless it has switched to another stack.
            Exit::Plain(rule) | Exit::Hidden(rule)
                if rule.base == 0 && rule.offset == 8 && !self.switches(address) =>
            {
                told
            }
            Exit::Outermost => told,
            _ => Exit::FramePointer,
        }
    }

    fn switches(&self, address: u64) -> bool {
        self.switching.iter().any(|range| range.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::Go;
    use crate::stacks::exit::Exit;
    use tracer_common::stack::Rule;

    fn frame_of(offset: i32) -> Exit {
        Exit::Hidden(Rule {
            offset,
            ..Rule::default()
        })
    }

    #[test]
    fn a_goroutine_begins_in_goexit_and_the_frame_pointer_leads_from_stack_to_stack() {
        let symbols = [
            ("runtime.text", 0x1000..0x1000),
            ("runtime.systemstack.abi0", 0x1100..0x1200),
            ("main.main", 0x1200..0x1300),
            ("runtime.goexit.abi0", 0x1300..0x1310),
            ("runtime.etext", 0x2000..0x2000),
        ];
        let go = Go::new(0x1000..0x3000, symbols.into_iter());
        assert_eq!(go.exit(0x1300, frame_of(8)), Exit::Outermost);
        assert_eq!(go.exit(0x1110, frame_of(8)), Exit::FramePointer);
        // A leaf without a frame, a function with one, one that tables do not cover, and C.
        assert_eq!(go.exit(0x1210, frame_of(8)), frame_of(8));
        assert_eq!(go.exit(0x1210, frame_of(64)), Exit::FramePointer);
        assert_eq!(go.exit(0x1210, Exit::Unknown), Exit::FramePointer);
        assert_eq!(go.exit(0x2100, frame_of(64)), frame_of(64));
    }

    #[test]
    fn a_stripped_program_keeps_frame_pointers_all_the_same() {
        let go = Go::new(0x1000..0x2000, std::iter::empty());
        assert_eq!(go.exit(0x1300, Exit::Unknown), Exit::FramePointer);
    }
}
