//! stub
#![no_std]
#![no_main]
use aya_ebpf as _;

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
