"""Python at work, in the shapes that memory's course has: leaks, and what only looks like one. A mode goes on until
somebody ends it. What an expert calls each, and why, stands in cases.py.

Usage: python3 shapes.py MODE
"""

import itertools
import sys
import time

kept = []


def steps(pause):
    for n in itertools.count():
        yield n
        time.sleep(pause)


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


globals()[sys.argv[1]]()
