"""numpy at work: matrices on BLAS's threads, temporary arrays of all sizes, files mapped as arrays,
and a pool of forked processes that do the same.

Usage: python3 arrays.py SECONDS FOLDER
"""

import multiprocessing
import os
import sys
import time

import numpy


def work(seed):
    """Makes and drops arrays; their sizes lie on both sides of malloc's threshold for mmap."""
    random = numpy.random.default_rng(seed)
    total = 0.0
    for size in (10, 100, 300, 600):
        matrix = random.random((size, size))
        total += float(numpy.linalg.norm(matrix @ matrix.T))
        total += float(numpy.sort(matrix.ravel())[size])
    grown = numpy.empty(0)
    for _ in range(20):
        grown = numpy.concatenate([grown, random.random(40_000)])
    return total + float(grown.sum())


def mapped(folder, seed):
    """Writes and reads an array that is a file."""
    path = os.path.join(folder, f"array-{seed}")
    array = numpy.memmap(path, dtype="float64", mode="w+", shape=(1 << 19,))
    array[:: 1 << 8] = seed
    array.flush()
    total = float(numpy.memmap(path, dtype="float64", mode="r").sum())
    del array
    os.unlink(path)
    return total


def main():
    """Until the time is over."""
    deadline = time.monotonic() + float(sys.argv[1])
    seed = 0
    while time.monotonic() < deadline:
        with multiprocessing.get_context("fork").Pool(3) as pool:
            pool.map(work, range(seed, seed + 6))
        work(seed)
        assert mapped(sys.argv[2], seed) == seed * (1 << 11)
        seed += 6


main()
