# Run by gdb (scripts/compare-with-gdb): stops the program in its memory calls and compares each stack's
# addresses with those that tracer finds from the same registers and the same bytes.
import os
import subprocess

import gdb

NAME, UNWIND = os.environ["NAME"], os.environ["UNWIND"]
WANTED, EVERY = int(os.environ["WANTED"]), int(os.environ["EVERY"])


def stack():
    addresses, frame = [], gdb.newest_frame()
    while frame is not None:
        # An inlined function has no address of its own.
        if frame.type() in (gdb.NORMAL_FRAME, gdb.SIGTRAMP_FRAME):
            addresses.append((frame.pc(), frame.name() or "?"))
        # Nothing has called it; gdb goes on through what the kernel has put there for ld.so.
        if frame.name() == "_start":
            break
        try:
            frame = frame.older()
        except gdb.error:
            break
    return addresses


def register(name):
    return "%x" % (int(gdb.parse_and_eval("$" + name)) & (1 << 64) - 1)


def is_code(address):
    with open("/proc/%d/maps" % gdb.selected_inferior().pid) as maps:
        for line in maps:
            span, permissions = line.split()[:2]
            start, end = (int(word, 16) for word in span.split("-"))
            if start <= address < end:
                return "x" in permissions
    return False


def compare(number):
    theirs = stack()
    words = [UNWIND, str(gdb.selected_inferior().pid), register("rip"), register("rsp"), register("rbp")]
    quality, *ours = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    ours = [int(word, 16) for word in ours]
    addresses = [address for address, _ in theirs]
    if ours == addresses and quality == "Complete":
        verdict = "equal"
    elif quality == "Cut" and ours == addresses[: len(ours)]:
        verdict = "equal as far as copied"
    else:
        verdict = "different"
        same = len(os.path.commonprefix([ours, addresses]))
        # What is in no code is no frame: it has no rules for code made at run time, V8's built-ins, Go's.
        if same < len(addresses) and any(not is_code(address) for address in addresses[same : same + 2]):
            verdict = "gdb is lost"
    print("COMPARED\t%s\t%d\t%d\t%d\t%s\t%s" % (NAME, number, len(theirs), len(ours), quality, verdict))
    if verdict in ("different", "gdb is lost"):
        print("  the same: %d, then gdb:" % same)
        for address, name in theirs[max(0, same - 1) : same + 4]:
            print("    %x %s" % (address, name))
        print("  tracer:")
        for address in ours[max(0, same - 1) : same + 4]:
            print("    " + gdb.execute("info symbol 0x%x" % address, to_string=True).strip(), "%x" % address)


for setting in ("pagination off", "confirm off", "backtrace past-main on", "backtrace past-entry on",
                "backtrace limit 400", "print thread-events off", "debuginfod enabled off", "style enabled off"):
    try:
        gdb.execute("set " + setting)
    except gdb.error:
        pass  # of a newer gdb
gdb.execute("handle all nostop noprint pass", to_string=True)
gdb.execute("catch syscall mmap munmap brk mremap", to_string=True)
gdb.execute("run", to_string=True)
stops = compared = 0
while compared < WANTED and gdb.selected_inferior().pid:
    stops += 1
    # Each call stops twice.
    if stops % (2 * EVERY) == 1:
        compared += 1
        compare(stops)
    gdb.execute("continue", to_string=True)
if gdb.selected_inferior().pid:
    gdb.execute("kill", to_string=True)
