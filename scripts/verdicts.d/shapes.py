"""Python at work, in the shapes that memory's course has: leaks, and what only looks like one. A mode goes on until
somebody ends it. What an expert calls each, and why, stands in cases.py.

Usage: python3 shapes.py MODE [SECONDS]     SECONDS: for how long somebody looks (8)
"""

import itertools
import os
import resource
import sys
import threading
import time

kept = []
looked_for = float(sys.argv[2]) if len(sys.argv) > 2 else 8


def steps(pause):
    for n in itertools.count():
        yield n
        time.sleep(pause)


def steps_until_the_end(pause):
    """Ends two seconds before nobody looks any more."""
    until = time.monotonic() + looked_for - 2
    return itertools.takewhile(lambda _: time.monotonic() < until, steps(pause))


def limit(mebibytes):
    resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20))


def record(n):
    return {"n": n, "text": f"request {n}" * 5, "list": [n + m for m in range(20)]}


def growing_list():
    for n in steps(0.02):
        kept.extend(record(n * 100 + m) for m in range(100))


def kept_arrays():
    import numpy

    for n in steps(0.05):
        kept.append(numpy.full(40_000, n, dtype=float))


def kept_bytes():
    for n in steps(0.05):
        kept.append(bytearray(b"x") * 300_000)


def idle():
    for _ in steps(1):
        pass


def garbage():
    for n in steps(0.02):
        cycle = [record(n * 100 + m) for m in range(100)]
        cycle.append(cycle)


def arrays():
    import numpy

    last = [None] * 8
    for n in steps(0.02):
        last[n % 8] = numpy.full(50_000 * (n % 5 + 1), n, dtype=float)


def full_cache():
    cache = {}
    for n in steps(0.02):
        for m in range(100):
            cache[n * 100 + m] = record(n * 100 + m)
            if len(cache) > 15_000:
                del cache[next(iter(cache))]


def leak_freed_at_exit():
    for n in steps_until_the_end(0.02):
        kept.extend(record(n * 100 + m) for m in range(100))


def cache_freed_at_exit():
    cache = {}
    for n in steps_until_the_end(0.02):
        for m in range(100):
            cache[n * 100 + m] = record(n * 100 + m)
            if len(cache) > 5_000:
                del cache[next(iter(cache))]


def refused_and_exits():
    limit(500)
    for _ in steps(0.05):
        kept.append(bytearray(20 << 20))


def refused_and_idles():
    limit(500)
    try:
        bytearray(2 << 30)
    except MemoryError:
        idle()


def refused_threads():
    limit(500)
    for _ in steps(0.02):
        threading.Thread(target=idle, daemon=True).start()


def halved_until_had():
    limit(500)
    size = 4 << 30
    while not kept:
        try:
            kept.append(bytearray(size))
        except MemoryError:
            size //= 2
    idle()


def children_that_copy():
    """Each reads what it inherits: a reference count is written to, and its page copied."""
    kept.extend(record(n) for n in range(30_000))
    for _ in steps(0.2):
        if os.fork() == 0:
            sum(one["n"] for one in kept)
            os._exit(0)
        os.wait()


globals()[sys.argv[1]]()
