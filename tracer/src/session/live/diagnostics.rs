//! What the eBPF programs say of themselves.

use tokio::io::{Interest, unix::AsyncFd};

use crate::capture::programs::Programs;

/// The programs' own diagnostics go to the log of this process.
pub(super) fn start(programs: &mut Programs) {
    match aya_log::EbpfLogger::init(programs.ebpf_mut()) {
        Ok(logger) => {
            tokio::spawn(async move {
                // SAFETY: the logger owns its descriptor and never changes it.
                let logger = unsafe { AsyncFd::register_with_interest(logger, Interest::READABLE) };
                let Ok(mut logger) = logger else { return };
                while let Ok(mut guard) = logger.readable_mut().await {
                    guard.get_inner_mut().flush();
                    guard.clear_ready();
                }
            });
        }
        Err(error) => log::debug!("no diagnostics from the eBPF programs: {error}"),
    }
}
