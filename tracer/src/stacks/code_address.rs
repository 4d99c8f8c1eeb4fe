//! The address of a frame, and where to look for its function.

/// Where a frame's function is, or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeAddress {
    /// An instruction pointer: of the innermost frame, or of one that a signal has interrupted.
    Exact(u64),
    /// A return address, which may already be the next function's.
    Return(u64),
}

impl CodeAddress {
    /// As it is in the register or on the stack.
    pub(crate) fn get(self) -> u64 {
        match self {
            Self::Exact(address) | Self::Return(address) => address,
        }
    }

    /// What to look up in tables: what called is before the address to which it returns.
    pub(crate) fn lookup(self) -> u64 {
        match self {
            Self::Exact(address) => address,
            Self::Return(address) => address.wrapping_sub(1),
        }
    }

    pub(crate) fn is_exact(self) -> bool {
        matches!(self, Self::Exact(_))
    }
}

#[cfg(test)]
mod tests {
    use super::CodeAddress::{Exact, Return};

    #[test]
    fn a_return_address_is_looked_up_where_the_call_is() {
        assert_eq!(
            (Exact(0x1000).get(), Exact(0x1000).lookup()),
            (0x1000, 0x1000)
        );
        assert_eq!(
            (Return(0x1000).get(), Return(0x1000).lookup()),
            (0x1000, 0xfff)
        );
    }
}
