//! What constructed calls ask for.

use tracer_ledger::event::StackId;

/// What a constructed call asks for.
#[derive(Clone, Copy)]
pub struct Ask {
    pub stack: StackId,
    pub reserved: u64,
    pub accessible: u64,
    pub charged: u64,
    pub touched: u64,
    pub flags: u32,
    /// Where the first accessible byte lies.
    pub accessible_at: Option<u64>,
}

impl Ask {
    /// `PROT_NONE`, `MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE`.
    pub fn space(stack: StackId, reserved: u64) -> Self {
        Self {
            stack,
            reserved,
            accessible: 0,
            charged: 0,
            touched: 0,
            flags: 0x4022,
            accessible_at: None,
        }
    }

    /// Readable, writable, charged.
    pub fn memory(stack: StackId, reserved: u64, touched: u64) -> Self {
        Self {
            stack,
            reserved,
            accessible: reserved,
            charged: reserved,
            touched,
            flags: 0x22,
            accessible_at: Some(0),
        }
    }
}
