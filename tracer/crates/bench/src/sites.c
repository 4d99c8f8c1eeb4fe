/*
 * What `cargo xtask bench` records: CALLS reservations from SITES different call sites, each of which is
 * reserved, touched, protected and given back, but for the first of each site: that stays. One that stays
 * is protected otherwise than the one before it, so that the kernel keeps a map for each.
 *
 * A site is a chain of four of sixteen functions; which ones, the four digits of its number say.
 *
 * sites CALLS SITES [wait]: says `ready` when all is done; with `wait`, it ends with its stdin.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul
#define RESERVED (4 * PAGE)
#define LEVELS 4
/* Reservations that are made at once, and the pause that follows: a tracer that shares two CPUs with
   others is to lose nothing, for what is measured is how what it wrote is read. */
#define BURST 500
#define PAUSE_NS 10000000l

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static __attribute__((noinline)) void reserve(long site, int stays) {
    char *mapping = mmap(NULL, RESERVED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) fail("mmap");
    *(volatile char *)mapping = 1;
    if (!stays) {
        if (mprotect(mapping, PAGE, PROT_READ) != 0) fail("mprotect");
        if (munmap(mapping, RESERVED) != 0) fail("munmap");
    } else if (site % 2 != 0) {
        if (mprotect(mapping, RESERVED, PROT_READ) != 0) fail("mprotect");
    }
}

static void (*const chain[16])(long site, int level, int stays);

static void descend(long site, int level, int stays) {
    if (level == LEVELS) reserve(site, stays);
    else chain[site >> (4 * level) & 15](site, level + 1, stays);
}

/* Something to do after the call, or it would be a jump and leave no frame. */
static volatile long done;

#define LINK(name)                                                                \
    static __attribute__((noinline)) void name(long site, int level, int stays) { \
        descend(site, level, stays);                                              \
        done++;                                                                   \
    }
LINK(f0) LINK(f1) LINK(f2) LINK(f3) LINK(f4) LINK(f5) LINK(f6) LINK(f7)
LINK(f8) LINK(f9) LINK(f10) LINK(f11) LINK(f12) LINK(f13) LINK(f14) LINK(f15)

static void (*const chain[16])(long site, int level, int stays) = {
    f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
};

int main(int count, char **words) {
    if (count < 3) return 2;
    long calls = atol(words[1]), sites = atol(words[2]);
    for (long call = 0; call < calls; call++) {
        descend(call % sites, 0, call < sites);
        if (call % BURST == BURST - 1) nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    puts("ready");
    fflush(stdout);
    if (count > 3)
        while (getchar() != EOF) continue;
    return 0;
}
