/* What the modes of shapes have in common: each file of them ends with a table of its own. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define OWN __attribute__((noinline, noclone))
#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)
#define GIB(n) ((size_t)(n) << 30)

/* For how long somebody looks, in seconds. */
extern long looked_for;

void pause_ms(long ms);
/* Since the first call. */
double seconds(void);
/* Ends the program where `got` is NULL or MAP_FAILED. */
void *sure(void *got);
char *touch(void *memory, size_t size);
char *private_memory(size_t size);
char *address_space(size_t size);
/* From malloc, touched. */
char *block(size_t size);
int temporary_file(size_t size);
_Noreturn void idle(void);

#define MODE(name) {#name, name}
struct mode {
    const char *name;
    void (*run)(void);
};
extern const struct mode refusals[], phases[], pages[];
