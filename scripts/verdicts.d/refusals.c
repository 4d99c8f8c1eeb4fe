/* Modes of shapes: calls that the kernel refuses, and what a program makes of that. Each sets its own limits. */
#include "shapes.h"

#include <pthread.h>
#include <sys/resource.h>

/* No user of this machine's, so that nobody else's processes count against its limits. */
enum { NOBODY_ELSE = 54321 };

static void limit(__rlimit_resource_t what, rlim_t most) {
    struct rlimit both = {most, most};
    if (setrlimit(what, &both)) sure(NULL);
}

static void become_nobody(void) {
    if (setresuid(NOBODY_ELSE, NOBODY_ELSE, NOBODY_ELSE)) sure(NULL);
}

/* NULL: it was refused. */
OWN static char *asked(size_t size, int protection, int flags) {
    void *got = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return got == MAP_FAILED ? NULL : got;
}

OWN static char *asked_to_write(size_t size) { return asked(size, PROT_READ | PROT_WRITE, 0); }

_Noreturn static void give_up(void) {
    perror("shapes gives up");
    exit(1);
}

/* ---- By RLIMIT_AS. ---- */

static void refused_reservation_and_aborts(void) {
    limit(RLIMIT_AS, GIB(2));
    if (!asked(GIB(64), PROT_NONE, MAP_NORESERVE)) abort();
}

static void fill_blocks(void) {
    limit(RLIMIT_AS, MIB(300));
    for (char *got; (got = malloc(MIB(2))); pause_ms(10)) touch(got, MIB(2));
}

static void refused_blocks_and_exits(void) {
    fill_blocks();
    give_up();
}

static void refused_blocks_and_idles(void) {
    fill_blocks();
    idle();
}

static void refused_blocks_and_crashes(void) {
    limit(RLIMIT_AS, MIB(300));
    for (;; pause_ms(10)) *(volatile char *)malloc(MIB(2)) = 1;
}

static void refused_realloc_and_exits(void) {
    limit(RLIMIT_AS, MIB(200));
    char *got = NULL;
    for (size_t size = MIB(1); (got = realloc(got, size)); size *= 2) pause_ms(50);
    give_up();
}

static void *waiting_thread(void *unused) {
    idle();
    return unused;
}

static void start_threads(void) {
    pthread_t thread;
    while (!pthread_create(&thread, NULL, waiting_thread, NULL)) pause_ms(20);
}

static void refused_stacks_of_threads_and_exits(void) {
    limit(RLIMIT_AS, MIB(400));
    start_threads();
    give_up();
}

/* ---- By other limits of a process. ---- */

static void refused_data_and_exits(void) {
    limit(RLIMIT_DATA, MIB(100));
    while (asked_to_write(MIB(8))) pause_ms(20);
    give_up();
}

static void refused_data_of_a_pool_and_exits(void) {
    limit(RLIMIT_DATA, MIB(60));
    char *start = address_space(GIB(1));
    for (size_t used = 0; !mprotect(start + used, MIB(4), PROT_READ | PROT_WRITE); used += MIB(4)) pause_ms(20);
    give_up();
}

static void refused_brk_and_exits(void) {
    limit(RLIMIT_DATA, MIB(40));
    while (sbrk((long)MIB(2)) != (void *)-1) pause_ms(20);
    give_up();
}

static void deeper(volatile char *above) {
    char frame[KIB(16)];
    touch(frame, sizeof frame)[0] = *above;
    pause_ms(5);
    if (*frame) deeper(frame);
    *above = frame[1];
}

static void refused_stack_and_crashes(void) {
    limit(RLIMIT_STACK, MIB(1));
    deeper(&(char){1});
}

static void refused_locked_mapping_and_exits(void) {
    limit(RLIMIT_MEMLOCK, MIB(1));
    become_nobody();
    if (!asked(MIB(4), PROT_READ | PROT_WRITE, MAP_LOCKED)) give_up();
}

static void refused_lock_and_exits(void) {
    limit(RLIMIT_MEMLOCK, MIB(1));
    become_nobody();
    if (mlock(sure(asked_to_write(MIB(4))), MIB(4))) give_up();
}

static void refused_threads_and_exits(void) {
    limit(RLIMIT_NPROC, 20);
    become_nobody();
    start_threads();
    give_up();
}

static void refused_children_and_idles(void) {
    limit(RLIMIT_NPROC, 10);
    become_nobody();
    for (pid_t child; (child = fork()) >= 0; pause_ms(20))
        if (child == 0) idle();
    idle();
}

/* ---- By the machine. ---- */

static void refused_splits_and_exits(void) {
    size_t size = GIB(16);
    char *start = address_space(size);
    for (size_t at = 0; at < size; at += 8192)
        if (mprotect(start + at, 4096, PROT_READ)) give_up();
}

/* Of one page each, and no two neighbours alike: none is joined with another. */
static void refused_mappings_and_idles(void) {
    for (int n = 0; asked(4096, n % 2 ? PROT_READ : PROT_NONE, 0); n++) {}
    idle();
}

static void refused_by_overcommit_and_exits(void) {
    if (!asked_to_write(GIB(16384))) give_up();
}

static void refused_by_address_space_and_aborts(void) {
    if (!asked((size_t)1 << 50, PROT_NONE, MAP_NORESERVE)) abort();
}

static void refused_huge_pages_and_exits(void) {
    if (!asked(GIB(8192), PROT_READ | PROT_WRITE, MAP_HUGETLB)) give_up();
}

/* ---- Refused, and had otherwise. ---- */

static void halved_until_had(void) {
    limit(RLIMIT_AS, GIB(1));
    size_t size = GIB(64);
    while (!asked(size, PROT_NONE, MAP_NORESERVE)) size /= 2;
    idle();
}

static void blocks_halved_until_had(void) {
    limit(RLIMIT_DATA, MIB(100));
    char *got = NULL;
    size_t size = GIB(1);
    while (!(got = malloc(size))) size /= 2;
    touch(got, size);
    idle();
}

static void ordinary_pages_had(void) {
    if (!asked(MIB(8), PROT_READ | PROT_WRITE, MAP_HUGETLB)) touch(sure(asked_to_write(MIB(8))), MIB(8));
    idle();
}

static void smaller_stack_had(void) {
    limit(RLIMIT_AS, MIB(200));
    pthread_attr_t how;
    pthread_attr_init(&how);
    pthread_t thread;
    for (size_t size = GIB(1); pthread_attr_setstacksize(&how, size), pthread_create(&thread, &how, waiting_thread, NULL);)
        size /= 4;
    idle();
}

static void cache_emptied_until_had(void) {
    enum { ENTRIES = 64 };
    static char *cache[ENTRIES];
    limit(RLIMIT_AS, MIB(200));
    for (unsigned n = 0;; n++, pause_ms(20)) {
        char **entry = &cache[n % ENTRIES];
        while (!*entry && !(*entry = asked_to_write(MIB(4)))) {
            unsigned oldest = (unsigned)rand() % ENTRIES;
            if (cache[oldest]) munmap(cache[oldest], MIB(4));
            cache[oldest] = NULL;
        }
        touch(*entry, MIB(4));
    }
}

const struct mode refusals[] = {
    MODE(refused_reservation_and_aborts), MODE(refused_blocks_and_exits), MODE(refused_blocks_and_idles),
    MODE(refused_blocks_and_crashes), MODE(refused_realloc_and_exits), MODE(refused_stacks_of_threads_and_exits),
    MODE(refused_data_and_exits), MODE(refused_data_of_a_pool_and_exits), MODE(refused_brk_and_exits),
    MODE(refused_stack_and_crashes), MODE(refused_locked_mapping_and_exits), MODE(refused_lock_and_exits),
    MODE(refused_threads_and_exits), MODE(refused_children_and_idles), MODE(refused_splits_and_exits),
    MODE(refused_mappings_and_idles), MODE(refused_by_overcommit_and_exits), MODE(refused_by_address_space_and_aborts),
    MODE(refused_huge_pages_and_exits), MODE(halved_until_had), MODE(blocks_halved_until_had), MODE(ordinary_pages_had),
    MODE(smaller_stack_had), MODE(cache_emptied_until_had), {0},
};
