/* Modes of shapes: working lives that end or rest while somebody looks, and growth that comes by work, not by time. */
#include "shapes.h"

#include <signal.h>

enum { MOST = 1 << 16 };
static char *kept[MOST];
static size_t sizes[MOST], count;

/* Two seconds before nobody looks any more. */
static int works(void) { return seconds() < (double)looked_for - 2; }

static void keep(char *block, size_t size) {
    kept[count] = block;
    sizes[count++] = size;
}

OWN static void keep_mapping(size_t size) { keep(touch(private_memory(size), size), size); }

OWN static void keep_block(size_t size) { keep(block(size), 0); }

static void free_kept(void) {
    while (count--)
        if (sizes[count]) munmap(kept[count], sizes[count]);
        else free(kept[count]);
}

/* What a request costs: some milliseconds of a CPU. */
static void work_ms(double ms) {
    struct timespec now;
    double until = 0;
    do {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        double time = (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
        if (until == 0) until = time + ms;
        else if (time >= until) return;
    } while (1);
}

/* ---- Leaks that end. ---- */

static void leak_freed_at_exit(void) {
    atexit(free_kept);
    for (; works(); pause_ms(20)) keep_mapping(KIB(64));
    exit(0);
}

static void leaked_blocks_freed_at_exit(void) {
    atexit(free_kept);
    for (; works(); pause_ms(20))
        for (int n = 0; n < 20; n++) keep_block(KIB(4));
    exit(0);
}

static void leak_that_exits(void) {
    for (; works(); pause_ms(20)) keep_mapping(KIB(64));
    _exit(0);
}

static void leak_that_aborts(void) {
    for (; works(); pause_ms(40)) keep_block(KIB(200));
    abort();
}

static void stop(int unused) {
    (void)unused;
    exit(0);
}

/* As a service does that is told to end. */
static void leak_freed_at_a_signal(void) {
    atexit(free_kept);
    signal(SIGALRM, stop);
    alarm((unsigned)looked_for - 2);
    for (;; pause_ms(20)) keep_mapping(KIB(64));
}

/* ---- Rests. ---- */

static void leak_then_idle(void) {
    for (; seconds() < (double)looked_for * 0.65; pause_ms(25)) {
        keep_mapping(KIB(64));
        work_ms(5);
    }
    idle();
}

static void leak_then_idle_then_freed(void) {
    for (; seconds() < (double)looked_for * 0.5; pause_ms(25)) {
        keep_mapping(KIB(64));
        work_ms(5);
    }
    while (works()) pause_ms(100);
    free_kept();
    exit(0);
}

/* ---- Growth by work. ---- */

static void leak_by_requests(void) {
    for (;; pause_ms(300)) {
        work_ms(20);
        keep_block(KIB(512));
    }
}

/* The same for each, but ever fewer of them come. */
static void leak_by_ever_rarer_requests(void) {
    for (double ms = 10;; ms *= 1.04, pause_ms((long)ms)) {
        work_ms(10);
        keep_mapping(KIB(256));
    }
}

/* Half a second of requests, one and a half of none. */
static void leak_by_waves_of_requests(void) {
    for (;; pause_ms(1500))
        for (int n = 0; n < 20; n++, pause_ms(15)) {
            work_ms(10);
            keep_block(KIB(150));
        }
}

/* ---- No leaks. ---- */

static void served_requests(void) {
    for (;; pause_ms(300)) {
        char *request = block(KIB(512));
        work_ms(20);
        free(request);
    }
}

/* A cache of 200, of which one is replaced each time. */
static void serve_from_cache(size_t n) {
    if (count < 200) {
        keep_mapping(KIB(128));
    } else {
        munmap(kept[n % 200], sizes[n % 200]);
        kept[n % 200] = touch(private_memory(KIB(128)), KIB(128));
    }
    work_ms(2);
}

static void cache_freed_at_exit(void) {
    atexit(free_kept);
    for (size_t n = 0; works(); n++, pause_ms(5)) serve_from_cache(n);
    exit(0);
}

static void cache_then_idle(void) {
    for (size_t n = 0; seconds() < (double)looked_for * 0.65; n++, pause_ms(5)) serve_from_cache(n);
    idle();
}

/* All that it needs is loaded first; what it works out with that is little, and given back. */
static void batch_freed_at_exit(void) {
    atexit(free_kept);
    for (int n = 0; n < 60; n++, pause_ms(10)) keep_block(MIB(1));
    for (; works(); pause_ms(10)) {
        free(block(KIB(300)));
        work_ms(3);
    }
    exit(0);
}

static void burst_at_the_start(void) {
    for (int n = 0; n < 400; n++) keep_mapping(KIB(256));
    for (;; pause_ms(20)) {
        munmap(touch(private_memory(KIB(256)), KIB(256)), KIB(256));
        work_ms(2);
    }
}

static void bursts_given_back(void) {
    for (;; pause_ms(1200)) {
        for (int n = 0; n < 100; n++, pause_ms(2)) keep_mapping(KIB(512));
        pause_ms(200);
        free_kept();
        count = 0;
    }
}

/* A pool that one burst has made, and that is used again from then on. */
static void burst_that_is_reused(void) {
    pause_ms(1000);
    for (int n = 0; n < 100; n++) keep_mapping(KIB(512));
    for (size_t n = 0;; n++, pause_ms(20)) {
        munmap(kept[n % 100], KIB(512));
        kept[n % 100] = touch(private_memory(KIB(512)), KIB(512));
        work_ms(2);
    }
}

/* A table that doubles until all is in it, and in which things are looked up from then on. */
static void doubling_table_in_use(void) {
    char *got = NULL;
    size_t size = MIB(1);
    for (; size <= MIB(32); size *= 2, pause_ms(400)) got = touch(sure(realloc(got, size)), size);
    for (;; pause_ms(20)) {
        touch(got, size / 2);
        free(block(KIB(50)));
    }
}

const struct mode phases[] = {
    MODE(leak_freed_at_exit), MODE(leaked_blocks_freed_at_exit), MODE(leak_that_exits), MODE(leak_that_aborts),
    MODE(leak_freed_at_a_signal), MODE(leak_then_idle), MODE(leak_then_idle_then_freed), MODE(leak_by_requests),
    MODE(leak_by_ever_rarer_requests), MODE(leak_by_waves_of_requests), MODE(served_requests), MODE(cache_freed_at_exit),
    MODE(cache_then_idle), MODE(batch_freed_at_exit), MODE(burst_at_the_start), MODE(bursts_given_back),
    MODE(burst_that_is_reused), MODE(doubling_table_in_use), {0},
};
