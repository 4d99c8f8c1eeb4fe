//! How a function is left: told by its file's tables ([`super::cfi`]), or by Go's ways (`go`).

use tracer_common::stack::Rule;

/// How to leave a function at one pc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By this rule, which framehop finds too.
    Plain(Rule),
    /// By this rule, which framehop does not find.
    Hidden(Rule),
    /// By the frame pointer, which may lead to another stack.
    FramePointer,
    /// By [`Cfi::step`](super::cfi::Cfi::step) only.
    Odd,
    /// There is no caller: the return address is undefined (`_start`, `clone`).
    Outermost,
    /// Nothing covers this pc.
    Unknown,
}

impl Exit {
    /// The rule, if the kernel can follow it.
    #[must_use]
    pub fn rule(self) -> Option<Rule> {
        match self {
            Self::Plain(rule) | Self::Hidden(rule) => Some(rule),
            Self::Outermost => Some(Rule {
                base: Rule::OUTERMOST,
                ..Rule::default()
            }),
            Self::FramePointer => Some(Rule::FRAME_POINTER),
            Self::Odd | Self::Unknown => None,
        }
    }
}
