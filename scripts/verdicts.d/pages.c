/* Modes of shapes: whose the pages are: copied, shared, of files, the kernel's to take back, huge; and mappings as such. */
#include "shapes.h"

#include <fcntl.h>
#include <sys/wait.h>

static void read_pages(const char *start, size_t size) {
    for (size_t at = 0; at < size; at += 4096) (void)*(const volatile char *)(start + at);
}

OWN static char *mapped(int file, size_t size, int flags) {
    return sure(mmap(NULL, size, PROT_READ | PROT_WRITE, flags, file, 0));
}

OWN static const char *read_file(int file, size_t size) {
    const char *got = sure(mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0));
    read_pages(got, size);
    return got;
}

static int memfd(size_t size) {
    int file = memfd_create("frame", 0);
    if (file < 0 || ftruncate(file, (off_t)size)) sure(NULL);
    return file;
}

/* ---- Copied on write. ---- */

static void inherited_pages_copied(void) {
    char *got = touch(private_memory(MIB(400)), MIB(400));
    if (fork() == 0)
        for (size_t at = 0; at < MIB(400); at += MIB(1), pause_ms(40)) touch(got + at, MIB(1));
    idle();
}

static void inherited_pages_copied_at_once(void) {
    char *got = touch(private_memory(MIB(100)), MIB(100));
    if (fork() == 0)
        for (;; pause_ms(50)) touch(got, MIB(100));
    idle();
}

/* As a database does that saves itself: while the child lives, what the parent writes to is copied. */
static void saving_children(void) {
    char *got = touch(private_memory(MIB(100)), MIB(100));
    for (;; pause_ms(300)) {
        if (fork() == 0) {
            read_pages(got, MIB(100));
            pause_ms(400);
            _exit(0);
        }
        for (int n = 0; n < 40; n++, pause_ms(10)) touch(got + MIB(1) * ((size_t)rand() % 100), MIB(1));
        while (waitpid(-1, NULL, 0) > 0) {}
    }
}

/* ---- Shared. ---- */

static void shared_with_children(void) {
    char *got = mapped(-1, MIB(64), MAP_SHARED | MAP_ANONYMOUS);
    for (int n = 0; n < 4; n++)
        if (fork() == 0)
            for (;; pause_ms(50)) touch(got, MIB(64));
    idle();
}

static void memfd_mapped_thrice(void) {
    int file = memfd(MIB(50));
    for (int n = 0; n < 3; n++) touch(mapped(file, MIB(50), MAP_SHARED), MIB(50));
    idle();
}

static void memfd_mapped_again_and_again(void) {
    for (int file = memfd(KIB(256));; pause_ms(20)) touch(mapped(file, KIB(256), MAP_SHARED), KIB(256));
}

/* Unmapped, but never closed: their pages stay. */
static void memfds_kept_open(void) {
    for (;; pause_ms(40)) munmap(touch(mapped(memfd(KIB(512)), KIB(512), MAP_SHARED), KIB(512)), KIB(512));
}

static void memfds_closed(void) {
    for (;; pause_ms(40)) {
        int file = memfd(KIB(512));
        munmap(touch(mapped(file, KIB(512), MAP_SHARED), KIB(512)), KIB(512));
        close(file);
    }
}

/* ---- Of files. ---- */

static void file_read_through_slowly(void) {
    const char *got = sure(mmap(NULL, MIB(400), PROT_READ, MAP_SHARED, temporary_file(MIB(400)), 0));
    for (size_t at = 0; at < MIB(400); at += MIB(1), pause_ms(30)) read_pages(got + at, MIB(1));
    idle();
}

static void many_files_at_the_start(void) {
    for (int n = 0; n < 60; n++) read_file(temporary_file(MIB(1)), MIB(1));
    idle();
}

static void files_read_and_unmapped(void) {
    for (;; pause_ms(20)) {
        int file = temporary_file(MIB(1));
        munmap((void *)read_file(file, MIB(1)), MIB(1));
        close(file);
    }
}

static void files_kept_mapped(void) {
    for (;; pause_ms(40)) {
        int file = temporary_file(KIB(256));
        read_file(file, KIB(256));
        close(file);
    }
}

/* ---- The kernel's to take back, and huge. ---- */

static void lazily_freed(void) {
    char *got = touch(private_memory(MIB(100)), MIB(100));
    pause_ms(1000);
    madvise(got, MIB(100), MADV_FREE);
    idle();
}

static void pool_lazily_freed_each_time(void) {
    char *got = private_memory(MIB(50));
    for (;; pause_ms(300)) madvise(touch(got, MIB(50)), MIB(50), MADV_FREE);
}

/* A part of `size` that begins where a huge page may. */
static char *for_huge_pages(size_t size) {
    char *got = private_memory(size + MIB(2));
    got += -(size_t)got & (MIB(2) - 1);
    madvise(got, size, MADV_HUGEPAGE);
    return got;
}

static void huge_pages_around_few_bytes(void) {
    char *got = for_huge_pages(MIB(100));
    for (size_t at = 0; at < MIB(100); at += MIB(2)) got[at] = 1;
    idle();
}

static void forgotten_huge_pages(void) {
    for (;; pause_ms(80)) *(volatile char *)for_huge_pages(MIB(2)) = 1;
}

/* ---- Mappings as such. ---- */

OWN static void guard(char *page, int protection) {
    if (mprotect(page, 4096, protection)) sure(NULL);
}

static void splits_piling_up(void) {
    char *got = address_space(GIB(1));
    for (size_t at = 0; at < GIB(1); at += 8192) {
        guard(got + at, PROT_READ);
        if (at % KIB(80) == 0) pause_ms(20);
    }
}

static void splits_that_heal(void) {
    char *got = private_memory(MIB(8));
    for (;; pause_ms(50)) {
        for (size_t at = 0; at < MIB(8); at += 8192) guard(got + at, PROT_READ);
        for (size_t at = 0; at < MIB(8); at += 8192) guard(got + at, PROT_READ | PROT_WRITE);
    }
}

static void many_mappings_at_the_start(void) {
    int file = temporary_file(KIB(64));
    for (int n = 0; n < 20000; n++) mapped(file, KIB(64), MAP_SHARED);
    idle();
}

const struct mode pages[] = {
    MODE(inherited_pages_copied), MODE(inherited_pages_copied_at_once), MODE(saving_children), MODE(shared_with_children),
    MODE(memfd_mapped_thrice), MODE(memfd_mapped_again_and_again), MODE(memfds_kept_open), MODE(memfds_closed),
    MODE(file_read_through_slowly), MODE(many_files_at_the_start), MODE(files_read_and_unmapped), MODE(files_kept_mapped),
    MODE(lazily_freed), MODE(pool_lazily_freed_each_time), MODE(huge_pages_around_few_bytes), MODE(forgotten_huge_pages),
    MODE(splits_piling_up), MODE(splits_that_heal), MODE(many_mappings_at_the_start), {0},
};
