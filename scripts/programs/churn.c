/* C at work: threads that come and go, each with an arena; blocks on both sides of malloc's threshold for
   mmap, some grown in place; mappings of its own.

   Usage: churn SECONDS */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int by_size(const void *left, const void *right) {
    char *room = malloc(300000);
    int difference = *(const int *)left - *(const int *)right;
    memset(room, difference, 100);
    free(room);
    return difference;
}

static void *work(void *seed) {
    unsigned random = (unsigned)(size_t)seed;
    char *held[64] = {0};
    int numbers[20];
    for (int n = 0; n < 2000; n++) {
        random = random * 1103515245 + 12345;
        char **one = &held[(random >> 8) % 64];
        *one = realloc(*one, (random >> 4) % 400000 + 1);
        memset(*one, n, 1);
        if (n % 50 == 0) {
            size_t length = (size_t)((random >> 10) % 64 + 1) << 12;
            void *place = mmap(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            memset(place, 1, length);
            munmap(place, length);
        }
    }
    for (int n = 0; n < 20; n++) numbers[n] = (int)(random >> n);
    qsort(numbers, 20, sizeof numbers[0], by_size);
    for (int n = 0; n < 64; n++) free(held[n]);
    return 0;
}

int main(int count, char **words) {
    long deadline = now() + (count > 1 ? atol(words[1]) : 8) * 1000;
    for (size_t round = 0; now() < deadline; round++) {
        pthread_t threads[4];
        for (size_t n = 0; n < 4; n++) pthread_create(&threads[n], 0, work, (void *)(round * 5 + n));
        work((void *)(round * 5 + 4));
        for (size_t n = 0; n < 4; n++) pthread_join(threads[n], 0);
        struct timespec rest = {0, 20000000};
        nanosleep(&rest, 0);
    }
    return 0;
}
