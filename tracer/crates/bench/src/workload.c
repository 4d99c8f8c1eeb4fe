/*
 * What `cargo xtask bench` measures: batches of calls on demand, all by the same process, so that it
 * is compared with itself, bare and traced.
 *
 * A line on stdin, `KIND COUNT DEPTH`, is answered by a line on stdout, `WALL CPU`: the nanoseconds
 * that COUNT of them took, by the clock and as this thread's own. DEPTH is the number of frames
 * between main and the function that makes the calls. Ends with its stdin.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RESERVED (64ul << 10)
#define PAGE 4096ul
#define REGION_PAGES 4096ul
/* Locals of a frame, so that a deep stack has bytes as well as frames. */
#define LOCALS 96

struct batch {
    void (*run)(struct batch *);
    long count;
    long wall, cpu;
};

/* One mapping of each batch of pairs lives until the next: what a tool's report must show. */
static void *kept;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static long now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000l + time.tv_nsec;
}

static void start(struct batch *batch) {
    batch->wall -= now(CLOCK_MONOTONIC);
    batch->cpu -= now(CLOCK_THREAD_CPUTIME_ID);
}

static void stop(struct batch *batch) {
    batch->cpu += now(CLOCK_THREAD_CPUTIME_ID);
    batch->wall += now(CLOCK_MONOTONIC);
}

static char *reserve(unsigned long length) {
    char *mapping = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) fail("mmap");
    return mapping;
}

static void release(void *mapping, unsigned long length) {
    if (munmap(mapping, length) != 0) fail("munmap");
}

static void keep(void) {
    if (kept) release(kept, RESERVED);
    kept = reserve(RESERVED);
}

static void pairs(struct batch *batch) {
    start(batch);
    for (long i = 0; i < batch->count; i++) release(reserve(RESERVED), RESERVED);
    stop(batch);
    keep();
}

static void touched(struct batch *batch) {
    start(batch);
    for (long i = 0; i < batch->count; i++) {
        char *mapping = reserve(RESERVED);
        *(volatile char *)mapping = 1;
        release(mapping, RESERVED);
    }
    stop(batch);
    keep();
}

/* First touches of small pages; reserving and releasing them is not timed. */
static void faults(struct batch *batch) {
    for (long left = batch->count; left > 0; left -= REGION_PAGES) {
        unsigned long pages = (unsigned long)left < REGION_PAGES ? (unsigned long)left : REGION_PAGES;
        char *region = reserve(REGION_PAGES * PAGE);
        madvise(region, REGION_PAGES * PAGE, MADV_NOHUGEPAGE);
        start(batch);
        for (unsigned long page = 0; page < pages; page++) *(volatile char *)(region + page * PAGE) = 1;
        stop(batch);
        release(region, REGION_PAGES * PAGE);
    }
}

/* A system call that has nothing to do with memory, and that libc does not cache. */
static void calls(struct batch *batch) {
    start(batch);
    for (long i = 0; i < batch->count; i++) syscall(SYS_getppid);
    stop(batch);
}

static __attribute__((noinline)) void at_depth(long depth, struct batch *batch) {
    volatile char locals[LOCALS];
    locals[0] = (char)depth;
    if (depth > 1) at_depth(depth - 1, batch);
    else batch->run(batch);
    /* Something to do after the call, or it would be a jump and leave no frame. */
    locals[1] = locals[0];
}

int main(void) {
    static const struct {
        const char *name;
        void (*run)(struct batch *);
    } kinds[] = {{"pairs", pairs}, {"touched", touched}, {"faults", faults}, {"calls", calls}};
    char line[128], kind[32];
    long count, depth;

    while (fgets(line, sizeof line, stdin)) {
        struct batch batch = {0};
        if (sscanf(line, "%31s %ld %ld", kind, &count, &depth) != 3) return 2;
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            if (strcmp(kind, kinds[i].name) == 0) batch.run = kinds[i].run;
        if (!batch.run) return 2;
        batch.count = count;
        at_depth(depth, &batch);
        printf("%ld %ld\n", batch.wall, batch.cpu);
        fflush(stdout);
    }
    return 0;
}
