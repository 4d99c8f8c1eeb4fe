/* The shapes that memory's course has in real programs, each a mode of this one: leaks, and what only looks like
 * one. A mode goes on until somebody ends it; nothing is given back at its end. Modes whose subject is something else
 * are in files of their own: refusals.c, phases.c (endings and rests too), pages.c.
 *
 * Usage: shapes MODE [SECONDS]     SECONDS: for how long somebody looks (8). Without a MODE: lists them.
 * What each shape is called by an expert, and why, stands in cases.py. Steps are paced, so that one takes some MiB
 * a second: enough for a verdict after ten seconds, and too little to disturb the others that run at that time. */
#include "shapes.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

long looked_for = 8;

void pause_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&time, &time)) {}
}

double seconds(void) {
    static double began;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double time = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
    if (began == 0) began = time;
    return time - began;
}

void *sure(void *got) {
    if (!got || got == MAP_FAILED) {
        perror("shapes");
        exit(1);
    }
    return got;
}

char *touch(void *memory, size_t size) {
    for (size_t at = 0; at < size; at += 4096) ((volatile char *)memory)[at] = 1;
    return memory;
}

OWN char *private_memory(size_t size) {
    return sure(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

OWN char *address_space(size_t size) {
    return sure(mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
}

OWN char *block(size_t size) { return touch(sure(malloc(size)), size); }

int temporary_file(size_t size) {
    FILE *file = tmpfile();
    if (!file || ftruncate(fileno(file), (off_t)size)) sure(NULL);
    int kept = dup(fileno(file));
    fclose(file);
    return kept;
}

void idle(void) {
    for (;;) pause_ms(1000);
}

static void small_blocks(int count) {
    for (int n = 0; n < count; n++) *(volatile char *)sure(malloc(500)) = 1;
}

static void start_thread(void *(*run)(void *), void *with) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, with)) sure(NULL);
}

/* ---- Leaks. ---- */

static void forgotten_munmap(void) {
    for (;; pause_ms(20)) touch(private_memory(KIB(64)), KIB(64));
}

static void forgotten_large_blocks(void) {
    for (;; pause_ms(40)) block(KIB(200));
}

static void forgotten_small_blocks(void) {
    for (;; pause_ms(10)) small_blocks(100);
}

static void *leaking_thread(void *unused) {
    for (;; pause_ms(20)) small_blocks(50);
    return unused;
}

static void small_blocks_of_threads(void) {
    for (int n = 0; n < 4; n++) start_thread(leaking_thread, NULL);
    idle();
}

static void mapped_files(void) {
    int file = temporary_file(KIB(256));
    for (;; pause_ms(40))
        for (char *got = sure(mmap(NULL, KIB(256), PROT_READ, MAP_SHARED, file, 0)), *at = got; at < got + KIB(256);
             at += 4096)
            (void)*(volatile char *)at;
}

static void growing_by_mremap(void) {
    size_t size = MIB(1);
    char *got = touch(private_memory(size), size);
    for (;; pause_ms(50)) {
        got = sure(mremap(got, size, size + KIB(256), MREMAP_MAYMOVE));
        touch(got + size, KIB(256));
        size += KIB(256);
    }
}

static void growing_by_realloc(void) {
    char *got = NULL;
    for (size_t size = KIB(256);; size += KIB(256)) {
        got = sure(realloc(got, size));
        touch(got + size - KIB(256), KIB(256));
        pause_ms(50);
    }
}

static void growing_by_brk(void) {
    for (;; pause_ms(20)) {
        char *got = sbrk((long)KIB(64));
        touch(sure(got), KIB(64));
    }
}

static void *sleeping_thread(void *unused) {
    char frames[KIB(64)];
    touch(frames, sizeof frames);
    idle();
    return unused;
}

static void threads_never_ended(void) {
    for (;; pause_ms(50)) start_thread(sleeping_thread, NULL);
}

static void shared_memory(void) {
    for (;; pause_ms(40))
        touch(sure(mmap(NULL, KIB(256), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)), KIB(256));
}

static void memfds(void) {
    for (;; pause_ms(40)) {
        int file = memfd_create("request", 0);
        if (file < 0 || ftruncate(file, (off_t)KIB(256))) sure(NULL);
        touch(sure(mmap(NULL, KIB(256), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)), KIB(256));
        close(file);
    }
}

/* Of twelve blocks of a request one is kept. */
static void leak_under_churn(void) {
    for (;; pause_ms(40)) {
        char *blocks[12];
        for (int n = 0; n < 12; n++) blocks[n] = touch(private_memory(KIB(256)), KIB(256));
        for (int n = 1; n < 12; n++) munmap(blocks[n], KIB(256));
    }
}

static void leak_beside_plateau(void) {
    touch(private_memory(MIB(200)), MIB(200));
    for (;; pause_ms(40)) block(KIB(150));
}

/* The plateau and the leak are in one heap, and so of one call site. */
static void leak_upon_plateau(void) {
    small_blocks(200000);
    for (;; pause_ms(20)) small_blocks(100);
}

static void leak_after_calm(void) {
    pause_ms(4000);
    forgotten_munmap();
}

/* As before, but the same call site took memory at the start-up. */
static void leak_of_a_known_site_after_calm(void) {
    for (int n = 0; n < 20; n++) touch(private_memory(KIB(64)), KIB(64));
    pause_ms(4000);
    for (;; pause_ms(20)) touch(private_memory(KIB(64)), KIB(64));
}

static void address_space_piling_up(void) {
    for (;; pause_ms(50)) address_space(MIB(64));
}

static void charged_untouched_piling_up(void) {
    for (;; pause_ms(50)) private_memory(MIB(2));
}

static void slow_leak(void) {
    for (;; pause_ms(100)) touch(private_memory(KIB(16)), KIB(16));
}

static void leaking_child(void) {
    if (fork() == 0) forgotten_large_blocks();
    idle();
}

/* A pool of one's own: reserved once, committed bit by bit. Up to `limit`. */
static void pool(size_t limit) {
    char *start = address_space(GIB(1));
    for (size_t used = 0; used < limit; used += KIB(128)) {
        if (mprotect(start + used, KIB(128), PROT_READ | PROT_WRITE)) sure(NULL);
        touch(start + used, KIB(128));
        pause_ms(20);
    }
    for (;; pause_ms(20)) touch(start, limit);
}

static void pool_without_limit(void) { pool(GIB(1)); }

/* Live memory rises by 2 MiB a second under a sawtooth of 16 MiB. */
static void rising_sawtooth(void) {
    for (;;) {
        char *teeth[64];
        for (int n = 0; n < 64; n++, pause_ms(10)) teeth[n] = block(KIB(256));
        for (int n = 8; n < 64; n++) free(teeth[n]);
    }
}

/* By steps: a batch every second and a half. */
static void leak_by_batches(void) {
    for (;; pause_ms(1500))
        for (int n = 0; n < 24; n++) block(KIB(200));
}

/* What comes in is taken out later and later: blocks of many sizes, oldest first. */
static void growing_backlog(void) {
    enum { MOST = 1 << 20 };
    static char *queue[MOST];
    for (unsigned in = 0, out = 0; in < MOST; in++) {
        queue[in] = block(KIB(1) + (size_t)rand() % KIB(16));
        if (in % 3 == 0) free(queue[out++]);
        if (in % 10 == 0) pause_ms(10);
    }
}

static void *leaking_and_churning_thread(void *of) {
    unsigned seed = (unsigned)(size_t)of;
    char *kept[64] = {0};
    for (unsigned n = 0;; n++) {
        char **entry = &kept[rand_r(&seed) % 64];
        if (n % 8) free(*entry);
        *entry = block((size_t)rand_r(&seed) % KIB(30) + 1);
        if (n % 4 == 0) pause_ms(10);
    }
    return of;
}

static void leak_of_threads_under_churn(void) {
    for (size_t n = 0; n < 8; n++) start_thread(leaking_and_churning_thread, (void *)n);
    idle();
}

/* Files mapped privately and written to: pages of one's own. */
static void written_copies_of_files(void) {
    int file = temporary_file(KIB(256));
    for (;; pause_ms(40))
        touch(sure(mmap(NULL, KIB(256), PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0)), KIB(256));
}

/* ---- No leaks. ---- */

/* As many live at a time as chance will have it, around a hundred. */
static void wandering_level(void) {
    enum { MOST = 400 };
    static char *kept[MOST];
    unsigned count = 0;
    for (unsigned n = 0;; n++, pause_ms(5)) {
        if (count < MOST && (unsigned)rand() % 200 >= count) kept[count++] = touch(private_memory(KIB(256)), KIB(256));
        else if (count) munmap(kept[--count], KIB(256));
    }
}

/* Every key is kept, and new keys come ever more rarely. */
static void keys_that_become_known(void) {
    enum { KEYS = 400 };
    static char *known[KEYS];
    for (;; pause_ms(4)) {
        char **entry = &known[rand() % KEYS];
        if (!*entry) *entry = block(KIB(128));
    }
}

static void calming_start(void) {
    for (int n = 0; n < 100; n++) {
        block(MIB(1));
        pause_ms(n / 2);
    }
    idle();
}

static void full_cache(void) {
    enum { ENTRIES = 400 };
    static char *cache[ENTRIES];
    for (unsigned n = 0;; n++, pause_ms(10)) {
        char **entry = &cache[n % ENTRIES];
        if (*entry) munmap(*entry, KIB(128));
        *entry = touch(private_memory(KIB(128)), KIB(128));
    }
}

/* The same with blocks of changing sizes, from malloc. */
static void full_cache_of_blocks(void) {
    enum { ENTRIES = 2000 };
    static char *cache[ENTRIES];
    for (unsigned n = 0;; n++) {
        char **entry = &cache[n < ENTRIES ? n : (unsigned)rand() % ENTRIES];
        free(*entry);
        *entry = block(KIB(1) + (size_t)rand() % KIB(32));
        if (n % 8 == 0) pause_ms(10);
    }
}

static void sawtooth(void) {
    for (;;) {
        char *teeth[64];
        for (int n = 0; n < 64; n++, pause_ms(20)) teeth[n] = touch(private_memory(KIB(512)), KIB(512));
        for (int n = 0; n < 64; n++) munmap(teeth[n], KIB(512));
    }
}

static void churn(void) {
    for (;; pause_ms(2)) {
        char *got = touch(private_memory(MIB(1)), MIB(1));
        munmap(got, MIB(1));
    }
}

static void churn_of_blocks(void) {
    static char *kept[256];
    for (unsigned n = 0;; n++) {
        char **entry = &kept[(unsigned)rand() % 256];
        free(*entry);
        *entry = block(64 + (size_t)rand() % KIB(rand() % 8 ? 8 : 200));
        if (n % 16 == 0) pause_ms(5);
    }
}

static void burst_before_the_end(void) {
    pause_ms(looked_for * 1000 - 700);
    for (int n = 0; n < 100; n++) touch(private_memory(KIB(512)), KIB(512));
    idle();
}

static void untouched_reservation(void) {
    address_space(GIB(16));
    idle();
}

static void pool_with_limit(void) { pool(MIB(24)); }

static void *working_thread(void *unused) {
    for (;; pause_ms(20)) free(block(KIB(16)));
    return unused;
}

static void thread_pool(void) {
    for (int n = 0; n < 32; n++) start_thread(working_thread, NULL);
    idle();
}

_Noreturn static void *busy_arena(void *of) {
    unsigned seed = (unsigned)(size_t)of;
    char *kept[64] = {0};
    for (;; pause_ms(10)) {
        char **entry = &kept[rand_r(&seed) % 64];
        free(*entry);
        *entry = block((size_t)rand_r(&seed) % KIB(60) + 1);
    }
}

static void arenas_of_16_threads(void) {
    for (size_t n = 0; n < 16; n++) start_thread(busy_arena, (void *)n);
    idle();
}

/* Threads that come and go. */
static void *short_thread(void *unused) {
    free(block(KIB(100)));
    return unused;
}

static void threads_that_end(void) {
    for (;; pause_ms(20)) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, short_thread, NULL)) sure(NULL);
        pthread_join(thread, NULL);
    }
}

static void periodic_daemon(void) {
    for (;; pause_ms(700)) {
        char *blocks[160];
        for (int n = 0; n < 160; n++) blocks[n] = block(KIB(100));
        pause_ms(100);
        for (int n = 0; n < 160; n++) free(blocks[n]);
    }
}

static void one_file_read_through(void) {
    int file = temporary_file(MIB(200));
    char *got = sure(mmap(NULL, MIB(200), PROT_READ, MAP_PRIVATE, file, 0));
    for (size_t at = 0; at < MIB(200); at += 4096) {
        (void)*(volatile char *)(got + at);
        if (at % KIB(64) == 0) pause_ms(5);
    }
    idle();
}

/* A table that doubles until all is in it. */
static void doubling_table(void) {
    char *got = NULL;
    for (size_t size = MIB(1); size <= MIB(64); size *= 2) {
        got = touch(sure(realloc(got, size)), size);
        pause_ms(800);
    }
    idle();
}

static void forking_server(void) {
    for (;; pause_ms(200)) {
        if (fork() == 0) {
            for (int n = 0; n < 30; n++, pause_ms(5)) block(MIB(1));
            _exit(0);
        }
        while (waitpid(-1, NULL, 0) > 0) {}
    }
}

/* Some work that gets to know all its sizes within the first seconds, and then goes on with them. */
static void warm_up(void) {
    while (seconds() < 4) {
        small_blocks(100);
        pause_ms(10);
    }
    for (;; pause_ms(10)) free(block(KIB(50)));
}

static const struct mode plain[] = {
    MODE(forgotten_munmap), MODE(forgotten_large_blocks), MODE(forgotten_small_blocks), MODE(small_blocks_of_threads),
    MODE(mapped_files), MODE(growing_by_mremap), MODE(growing_by_realloc), MODE(growing_by_brk),
    MODE(threads_never_ended), MODE(shared_memory), MODE(memfds), MODE(leak_under_churn), MODE(leak_beside_plateau),
    MODE(leak_upon_plateau), MODE(leak_after_calm), MODE(leak_of_a_known_site_after_calm),
    MODE(address_space_piling_up), MODE(charged_untouched_piling_up), MODE(slow_leak), MODE(leaking_child),
    MODE(pool_without_limit), MODE(rising_sawtooth), MODE(leak_by_batches), MODE(growing_backlog),
    MODE(leak_of_threads_under_churn), MODE(written_copies_of_files), MODE(wandering_level), MODE(keys_that_become_known),
    MODE(calming_start), MODE(full_cache), MODE(full_cache_of_blocks), MODE(sawtooth), MODE(churn),
    MODE(churn_of_blocks), MODE(burst_before_the_end), MODE(untouched_reservation), MODE(pool_with_limit),
    MODE(thread_pool), MODE(arenas_of_16_threads), MODE(threads_that_end), MODE(periodic_daemon),
    MODE(one_file_read_through), MODE(doubling_table), MODE(forking_server), MODE(warm_up), {0},
};

int main(int count, char **arguments) {
    static const struct mode *const all[] = {plain, refusals, phases, pages};
    seconds();
    if (count > 2) looked_for = atol(arguments[2]);
    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        for (const struct mode *mode = all[n]; mode->name; mode++) {
            if (count < 2) puts(mode->name);
            else if (!strcmp(arguments[1], mode->name)) mode->run();
        }
    return count < 2 ? 0 : 2;
}
