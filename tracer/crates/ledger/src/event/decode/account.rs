//! What the kernel has of a process, and what it told with a refused call.

use bytes::{Buf as _, Bytes};
use tracer_common::{
    account::{CAP_IPC_LOCK, VM_LOCKED},
    memory::unpack_failure,
};

use super::super::{
    Account, Address, Around, Refused, RefusedCall, ResourceLimits, StackId, Stamp,
    record::{RawAccounted, RawRefused},
};
use super::{stack_word, totals};

pub(super) fn accounted(stamp: Stamp, flags: u32, bytes: &mut Bytes) -> RawAccounted {
    RawAccounted {
        stamp,
        account: account(bytes),
        is_32_bit: flags != 0,
    }
}

fn account(bytes: &mut Bytes) -> Account {
    Account {
        totals: totals(bytes.get_u64_ne()),
        data_pages: bytes.get_u64_ne(),
        locked_pages: bytes.get_u64_ne(),
        mappings: bytes.get_u64_ne(),
        limits: limits(bytes),
    }
}

/// In the order of [`tracer_common::account::LIMITS`].
fn limits(bytes: &mut Bytes) -> ResourceLimits {
    // `RLIM_INFINITY`.
    let mut limit = || Some(bytes.get_u64_ne()).filter(|limit| *limit != u64::MAX);
    ResourceLimits {
        address_space_bytes: limit(),
        data_bytes: limit(),
        stack_bytes: limit(),
        locked_bytes: limit(),
        processes: limit(),
    }
}

pub(super) fn refused(
    stamp: Stamp,
    call: RefusedCall,
    flags: u32,
    bytes: &mut Bytes,
) -> RawRefused {
    let (error, protection) = unpack_failure(flags);
    let [first, second, third] = [(); 3].map(|()| bytes.get_u64_ne());
    let flags = bytes.get_u64_ne();
    let stack = stack_word(bytes.get_u64_ne());
    let place = bytes.get_u64_ne();
    let heap_end = bytes.get_u64_ne();
    let default_flags = bytes.get_u64_ne();
    let address_space_end = bytes.get_u64_ne();
    let capabilities = bytes.get_u64_ne();
    let user_processes = bytes.get_u64_ne();
    let has_protection = matches!(call, RefusedCall::Mmap | RefusedCall::Mprotect);
    let requested_bytes = match call {
        RefusedCall::Mremap => third.saturating_sub(second),
        RefusedCall::Brk => first.saturating_sub(heap_end),
        RefusedCall::Shmat | RefusedCall::Clone => 0,
        RefusedCall::Mmap
        | RefusedCall::Mprotect
        | RefusedCall::Munmap
        | RefusedCall::Madvise
        | RefusedCall::RemapFilePages
        | RefusedCall::Mlock => second,
    };
    let refused = Refused {
        stamp,
        call,
        stack: StackId::NONE,
        address: Address(first),
        requested_bytes,
        protection: if has_protection { protection as u8 } else { 0 },
        flags: flags as u32,
        error,
        account: account(bytes),
        around: Around {
            user_processes: Some(user_processes),
            address_space_bytes: Some(address_space_end),
            may_lock: Some(capabilities & CAP_IPC_LOCK != 0),
            locks_all: default_flags & VM_LOCKED != 0,
            ..Around::default()
        },
        place,
    };
    RawRefused { refused, stack }
}
