//! Who a process is, what limits it, and who may ask.

use super::super::{directory::Directory, limits::limits};
use super::*;

#[test]
fn an_identity_tells_name_executable_arguments_and_limits() {
    let mut child = Child::start(Command::new("sh").arg0("my shell").args([
        "-c",
        "read -r a; echo; read -r b",
        "",
        "x y",
        "",
    ]));
    child.answer();
    let process = rustix::process::Pid::from_child(&child.0);
    let limit = Rlimit {
        current: Some(3 << 30),
        maximum: Some(4 << 30),
    };
    rustix::process::prlimit(Some(process), Resource::As, limit).unwrap();
    let identity = identity(child.pid()).unwrap();
    assert_eq!(identity.comm, "sh");
    let shell = fs::canonicalize("/bin/sh").unwrap();
    assert_eq!(Path::new(&identity.exe), shell);
    assert_eq!(identity.cmdline[..2], ["my shell", "-c"]);
    assert_eq!(
        identity.cmdline[3..],
        ["", "x y"],
        "but the last one, which is empty"
    );
    assert_eq!(identity.runtime, None);
    assert_eq!(identity.limits.address_space_bytes, Some(3 << 30));
    assert_eq!(
        identity.limits,
        limits(&Directory::open(child.pid()).unwrap())
    );
}

#[test]
fn the_machines_limits_are_its_own() {
    let limits = limits(&Directory::open(own()).unwrap());
    let setting = |name: &str| fs::read_to_string(format!("/proc/sys/vm/{name}")).unwrap();
    let number = |text: String| text.trim().parse::<u64>().unwrap();
    assert_eq!(limits.max_map_count, Some(number(setting("max_map_count"))));
    assert_eq!(
        limits.overcommit_memory.map(u64::from),
        Some(number(setting("overcommit_memory")))
    );
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap();
    let total = meminfo
        .lines()
        .next()
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap();
    assert_eq!(limits.memory_total_bytes, Some(number(total.into()) << 10));
}

#[test]
fn no_more_arguments_are_kept_than_anyone_reads() {
    let long = "x".repeat(100 << 10);
    let child = Child::start(Command::new("sh").args(["-c", "read -r a", "", &long, "more"]));
    let cmdline = || identity(child.pid()).unwrap().cmdline;
    while cmdline().first().is_none_or(|name| name != "sh") {
        std::thread::yield_now();
    }
    let cmdline = cmdline();
    let bytes: usize = cmdline.iter().map(|argument| argument.len() + 1).sum();
    assert_eq!(bytes, (64 << 10) + 1);
    assert_eq!(cmdline.len(), 5, "without the last one");
}

#[test]
fn without_privileges_one_line_says_what_to_do() {
    let child = Child::idle();
    let pid = child.pid();
    // In a thread of its own: the system call, unlike the function of the C library, changes the user
    // of this thread only, who then loses all capabilities.
    let (maps, resident, identity) = std::thread::spawn(move || {
        const NOBODY: u32 = 65_534;
        // SAFETY: no memory is involved.
        let result = unsafe { libc::syscall(libc::SYS_setresuid, -1, NOBODY, -1) };
        assert_eq!(result, 0);
        (maps(pid), resident(pid, &[]), identity(pid))
    })
    .join()
    .unwrap();
    let message = |path| {
        format!(
            "cannot read /proc/{pid}/{path}: permission denied; run as root or with CAP_SYS_PTRACE"
        )
    };
    assert_eq!(maps.unwrap_err().to_string(), message("maps"));
    assert_eq!(resident.unwrap_err().to_string(), message("pagemap"));
    let identity = identity.unwrap();
    assert_eq!(identity.comm, "cat");
    assert_eq!((identity.exe.as_str(), identity.runtime), ("", None));
}
