//! The signals that end processes, by their numbers on Linux (the same on x86 and arm64).

/// `SIGABRT`; `signal 64` of one without a name.
#[must_use]
pub fn name(signal: u8) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        10 => "SIGUSR1",
        11 => "SIGSEGV",
        12 => "SIGUSR2",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return format!("signal {signal}"),
    };
    name.into()
}

/// A signal by which a process ends itself, as of `abort()`, a failed check, a trap of its runtime.
#[must_use]
pub fn is_abort(signal: u8) -> bool {
    const ABORTS: [u8; 3] = [
        4, // SIGILL
        5, // SIGTRAP
        6, // SIGABRT
    ];
    ABORTS.contains(&signal)
}

/// A signal by which a process ends of its own fault (signal(7)): of the others, somebody sent it.
#[must_use]
pub fn is_crash(signal: u8) -> bool {
    const CRASHES: [u8; 8] = [
        4,  // SIGILL
        5,  // SIGTRAP
        6,  // SIGABRT
        7,  // SIGBUS
        8,  // SIGFPE
        11, // SIGSEGV
        24, // SIGXCPU
        31, // SIGSYS
    ];
    CRASHES.contains(&signal)
}
