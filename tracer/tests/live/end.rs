//! The end of a process: its last figures are the kernel's, whatever it died of.

use serde_json::Value;

use crate::command::{folder, json, text, tracer};

/// Bytes by which the stack grows at last.
const GROWTH: u64 = 1 << 20;

/// Tells its size, then lets its stack grow, which no call tells, and ends without another one.
const GROW_AND_END: &str = "
import ctypes, os, signal, sys
def kernel(name, word):
    with open('/proc/self/' + name) as lines:
        return next(line for line in lines if word in line)
stack = int(kernel('maps', '[stack]').split('-')[0], 16)
growth = int(sys.argv[1])
ctypes.memset(stack - growth, 1, 1)
print(kernel('status', 'VmSize').split()[1], os.getpid(), flush=True)
ctypes.memset(stack - 2 * growth, 1, 1)
if sys.argv[2] == 'killed':
    os.kill(os.getpid(), signal.SIGKILL)
os._exit(0)
";

#[test]
fn the_last_size_is_the_kernels_also_without_a_last_call() {
    for (how, code) in [("killed", 128 + 9), ("ends", 0)] {
        let folder = folder();
        let path = folder.path().join("report.json");
        let output = tracer()
            .args(["run", "--report"])
            .arg(&path)
            .args(["--", "python3", "-c", GROW_AND_END])
            .args([&GROWTH.to_string(), how])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let stdout = text(&output.stdout);
        let (kib, pid) = stdout.trim().split_once(' ').unwrap();
        let told = kib.parse::<u64>().unwrap() * 1024;

        let report = json(&path);
        let process = crate::command::process(&report, pid.parse().unwrap());
        assert_eq!(process["virtual_bytes"]["end"], told + GROWTH, "{how}");
        assert_eq!(process["ledger"]["kernel_bytes"], told + GROWTH, "{how}");
        assert_eq!(process["ledger"]["difference_bytes"], Value::from(0));
    }
}
