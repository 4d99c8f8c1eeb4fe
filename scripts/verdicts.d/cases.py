"""The labelled cases of scripts/verdicts: what is run, what it is in truth, and which levels an expert would accept.

Truth is one of
  fine    memory that is bounded, or only address space, or given back: `benign`, or `unknown` where the figures of some
          seconds cannot show more. To be told to watch it would be a false alarm.
  grows   it goes on growing, and an expert who has only these seconds would not swear that it is a leak: a runtime
          may collect it, it is shared or of a file, or it is address space only. `watch` or `leak`.
  leak    private memory, touched, kept, more and more of it until the end; or what is reserved again and again and never
          given back: `leak`.
  refused something that the program asked for was refused to it, and it died of that, ended with an error, or gave up and
          goes on without: `refused`, and told, whatever the level. What was had in the end, smaller or otherwise, is fine.
Where a case accepts more or less than its truth does, it says why.
"""

from dataclasses import dataclass, field

FINE, GROWS, LEAK, REFUSED = "fine", "grows", "leak", "refused"
ACCEPTED = {FINE: {"benign", "unknown"}, GROWS: {"watch", "leak"}, LEAK: {"leak"}, REFUSED: {"refused"}}


@dataclass
class Case:
    name: str
    truth: str
    # A word of these in braces is replaced: see Programs in scripts/verdicts.
    command: list
    # Why the truth is what it is, where the name does not say it.
    why: str = ""
    accepted: set = None
    environment: dict = field(default_factory=dict)

    def __post_init__(self):
        self.accepted = self.accepted or ACCEPTED[self.truth]


def c(mode, truth, why="", accepted=None):
    return Case(f"c-{mode}", truth, ["{shapes}", mode, "{seconds}"], why, accepted)


def preloaded(library, mode, truth, why=""):
    """With another malloc in the place of glibc's."""
    name = f"{library.removeprefix('lib').split('.')[0].split('_')[0]}-{mode}"
    return Case(name, truth, ["{shapes}", mode], why, None, {"LD_PRELOAD": library})


def node(mode, truth, why="", accepted=None):
    return Case(f"node-{mode}", truth, ["{node}", "{here}/shapes.mjs", mode, "{seconds}"], why, accepted)


def python(mode, truth, why="", program="python3", accepted=None):
    return Case(f"python-{mode}", truth, ["{" + program + "}", "{here}/shapes.py", mode, "{seconds}"], why, accepted)


def java(mode, truth, why="", accepted=None):
    """With a small heap: until a collector has used all that it may, nobody can tell its garbage from a leak."""
    return Case(f"java-{mode}", truth, ["{java}", "-Xmx200m", "-cp", "{classes}", "Shapes", mode], why, accepted)


def go(mode, truth, why="", accepted=None):
    return Case(f"go-{mode}", truth, ["{goshapes}", mode], why, accepted)


def limited(name, truth, limit, command, why="", accepted=None):
    """By a shell that sets the limit and becomes the program."""
    return Case(f"limited-{name}", truth, ["{bash}", "-c", f"ulimit {limit}; exec \"$0\" \"$@\"", *command], why, accepted)


TOLD = {"leak", "watch"}
FILLED = {"why": "it kept all until nothing more was to be had: a leak, too", "accepted": {"refused", "leak"}}
WATCHABLE = {"benign", "unknown", "watch"}
POOL = "its allocator takes large pieces at a time: how much of one is in use, only the touches show"
HEAP = "it is within a heap that its collector may still empty: some seconds do not prove that it is kept"

CASES = [
    # Leaks of plain programs.
    c("forgotten_munmap", LEAK),
    c("forgotten_large_blocks", LEAK),
    c("forgotten_small_blocks", LEAK),
    c("small_blocks_of_threads", LEAK, "an arena is one reservation: its use grows, not the number of calls", {"leak", "watch"}),
    c("mapped_files", LEAK, "of mappings: the pages are the kernel's to take back, the maps are never given back"),
    c("growing_by_mremap", LEAK),
    c("growing_by_realloc", LEAK),
    c("growing_by_brk", LEAK),
    c("threads_never_ended", LEAK, "64 KiB touched of each stack of 8 MiB: most of it is address space", {"leak", "watch"}),
    c("shared_memory", GROWS, "shared: another process may be meant to have it"),
    c("memfds", GROWS, "as before"),
    c("leak_under_churn", LEAK, "one of twelve is kept: the level rises all the time", {"leak", "watch"}),
    c("leak_beside_plateau", LEAK),
    c("leak_upon_plateau", LEAK, "the plateau is of the same heap: it could be a late part of the start-up", {"leak", "watch"}),
    c("leak_after_calm", LEAK),
    c("leak_of_a_known_site_after_calm", LEAK, "half of what was seen of the site is calm", {"leak", "watch"}),
    c("address_space_piling_up", LEAK, "of address space: nothing of it is touched or charged"),
    c("charged_untouched_piling_up", LEAK, "charged, never touched"),
    c("slow_leak", GROWS, "1.6 MiB in all: too little to say anything but that it is not benign", {"leak", "watch", "unknown"}),
    c("leaking_child", LEAK),
    c("pool_without_limit", GROWS, "one reservation that is used more and more: it has a limit that is not reached"),
    c("rising_sawtooth", LEAK, "most of it is given back, and each time more is left", {"leak", "watch"}),
    c("leak_by_batches", LEAK, "", {"leak", "watch"}),
    c("growing_backlog", GROWS, "it may catch up"),
    c("leak_of_threads_under_churn", LEAK, "one of eight, in eight arenas", {"leak", "watch"}),
    c("written_copies_of_files", LEAK),
    # With other allocators.
    *(
        preloaded(library, mode, truth, why)
        for library in ("libjemalloc.so.2", "libmimalloc.so.2", "libtcmalloc_minimal.so.4")
        for mode, truth, why in (
            ("forgotten_small_blocks", GROWS, POOL),
            ("churn_of_blocks", FINE, ""),
            ("full_cache_of_blocks", FINE, ""),
        )
    ),
    # No leaks of plain programs.
    c("calming_start", FINE),
    c("full_cache", FINE),
    c("full_cache_of_blocks", FINE),
    c("sawtooth", FINE),
    c("churn", FINE),
    c("churn_of_blocks", FINE),
    c("burst_before_the_end", FINE, "nobody can know what comes after it", WATCHABLE),
    c("untouched_reservation", FINE, "", {"benign"}),
    c("pool_with_limit", FINE),
    c("thread_pool", FINE),
    c("arenas_of_16_threads", FINE),
    c("threads_that_end", FINE),
    c("periodic_daemon", FINE),
    c("one_file_read_through", FINE, "one mapping of one file, read once: page cache"),
    c("doubling_table", FINE, "nothing works after its last step, which is half of all: a rest shows nothing", WATCHABLE),
    c("forking_server", FINE, "each child ends soon and takes all with it"),
    c("warm_up", FINE),
    c("wandering_level", FINE),
    c("keys_that_become_known", FINE, "it ends where all are known"),
    Case("asan-churn_of_blocks", FINE, ["{asan}", "churn_of_blocks"],
         "its quarantine keeps what was freed, up to 256 MiB: it grows until then", WATCHABLE),
    Case("asan-thread_pool", FINE, ["{asan}", "thread_pool"], "as before", WATCHABLE),
    # Node.
    node("workers", LEAK, "cages pile up, and a heap for each Worker: none of them ever ends"),
    node("wasm_memories", LEAK, "of address space: 10 GiB each, untouched, all kept", {"leak", "watch"}),
    node("objects", GROWS, HEAP),
    node("buffers", GROWS, HEAP),
    node("idle", FINE),
    node("fetching", FINE),
    node("garbage", FINE),
    node("garbage_buffers", FINE),
    node("full_cache", FINE),
    node("ended_workers", FINE),
    # Python.
    python("growing_list", LEAK, "reference counts: what can go is gone at once"),
    python("kept_bytes", LEAK),
    python("kept_arrays", LEAK, "", "numpy"),
    python("idle", FINE),
    python("garbage", FINE),
    python("arrays", FINE, "", "numpy"),
    python("full_cache", FINE),
    # JVM.
    java("kept_bytes", GROWS, HEAP),
    java("kept_direct", LEAK, "outside of the heap, 200 KB each", {"leak", "watch"}),
    java("kept_threads", GROWS, "stacks of 1 MiB, of which little is touched"),
    java("idle", FINE),
    java("garbage", FINE),
    java("full_cache", FINE),
    # Go.
    go("kept_slices", GROWS, HEAP),
    go("kept_goroutines", GROWS, HEAP),
    go("idle", FINE),
    go("garbage", FINE),
    go("full_cache", FINE),
    # Servers, and many short processes.
    Case("redis-idle", FINE, ["{redis-server}", "--port", "0", "--save", "", "--unixsocket", "{folder}/socket"]),
    Case("nginx-idle", FINE, ["{nginx}", "-p", "{folder}", "-c", "nginx.conf"]),
    Case("postgres-idle", FINE, ["{setpriv}", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "{postgres}", "-D", "{folder}/data", "-k", "{folder}", "-c", "listen_addresses="]),
    Case("bash-pipelines", FINE, ["{bash}", "-c", "while :; do seq 1 20000 | sort -n | uniq | wc -l; sleep 0.2; done"]),
    Case("bash-growing_text", LEAK, ["{bash}", "-c", "while :; do printf -v more %50000s x; kept+=(\"$more\"); sleep 0.02; done"],
         "an array that is never emptied", {"leak", "watch"}),
    Case("gcc", FINE, ["{bash}", "-c", "while :; do gcc -O2 -c -o \"$1/o\" \"$0\"; done", "{here}/shapes.c", "{folder}"]),
    Case("sqlite-cache", FINE, ["{bash}", "-c",
         "while :; do echo 'insert into t select hex(randomblob(500)) from (select 1 union all select 2);'; sleep 0.01; done |"
         " sqlite3 -cmd 'create table t(x)' \"$0/db\"", "{folder}"], "its page cache has a limit of 2 MB"),
    Case("perl-growing_hash", LEAK, ["{perl}", "-e",
         "my %h; for (my $n = 0;; $n++) { $h{$n} = 'x' x 1000; select(undef, undef, undef, 0.01) if $n % 100 == 0 }"],
         "reference counts: what can go is gone at once"),
    # Refused, and no more to be done: by a limit of the process, or by the machine.
    c("refused_reservation_and_aborts", REFUSED),
    c("refused_blocks_and_exits", REFUSED, **FILLED),
    c("refused_blocks_and_idles", REFUSED, **FILLED),
    c("refused_blocks_and_crashes", REFUSED),
    c("refused_realloc_and_exits", REFUSED),
    c("refused_stacks_of_threads_and_exits", REFUSED),
    c("refused_data_and_exits", REFUSED),
    c("refused_data_of_a_pool_and_exits", REFUSED, "by mprotect: what it reserved was never refused"),
    c("refused_brk_and_exits", REFUSED),
    c("refused_stack_and_crashes", REFUSED, "without a call: the stack may not grow, and the program gets SIGSEGV"),
    c("refused_locked_mapping_and_exits", REFUSED),
    c("refused_lock_and_exits", REFUSED),
    c("refused_threads_and_exits", REFUSED),
    c("refused_children_and_idles", REFUSED),
    c("refused_splits_and_exits", REFUSED),
    c("refused_mappings_and_idles", REFUSED),
    c("refused_by_overcommit_and_exits", REFUSED, "unless vm.overcommit_memory is 1"),
    c("refused_by_address_space_and_aborts", REFUSED),
    c("refused_huge_pages_and_exits", REFUSED),
    python("refused_and_exits", REFUSED, **FILLED),
    python("refused_and_idles", REFUSED),
    python("refused_threads", REFUSED),
    limited("node-wasm_memories", REFUSED, "-v 33554432", ["{node}", "{here}/shapes.mjs", "wasm_memories", "{seconds}"],
            "a RangeError that nobody catches"),
    limited("node-wasm_memories_until_refused", REFUSED, "-v 33554432",
            ["{node}", "{here}/shapes.mjs", "wasm_memories_until_refused", "{seconds}"], "it is caught"),
    limited("node-idle", REFUSED, "-v 500000", ["{node}", "{here}/shapes.mjs", "idle"], "it cannot even begin"),
    limited("java-heap", REFUSED, "-v 2000000", ["{java}", "-Xmx4g", "-cp", "{classes}", "Shapes", "idle"]),
    limited("java-kept_threads", REFUSED, "-v 6000000",
            ["{java}", "-Xmx200m", "-Xss64m", "-cp", "{classes}", "Shapes", "kept_threads"]),
    limited("go-idle", REFUSED, "-v 300000", ["{goshapes}", "idle"], "it cannot even begin"),
    limited("go-kept_slices", REFUSED, "-d 60000", ["{goshapes}", "kept_slices"]),
    limited("perl-growing_hash", REFUSED, "-v 100000", ["{perl}", "-e", "my %h; for (my $n = 0;; $n++) { $h{$n} = 'x' x 1000 }"], **FILLED),
    limited("php-growing_array", REFUSED, "-v 300000",
            ["{php}", "-d", "memory_limit=-1", "-r", "for (;; usleep(20000)) $kept[] = str_repeat('x', 4000000);"], **FILLED),
    limited("ruby-growing_array", REFUSED, "-v 400000", ["{ruby}", "-e", "kept = []; loop { kept << 'x' * 4_000_000; sleep 0.02 }"],
            **FILLED),
    Case("bash-refused_text", REFUSED, ["{bash}", "-c",
         "ulimit -v 100000; while :; do printf -v more %500000s x; kept+=(\"$more\"); done"], **FILLED),
    # Refused, and had otherwise.
    c("halved_until_had", FINE),
    c("blocks_halved_until_had", FINE),
    c("ordinary_pages_had", FINE, "as huge pages it was refused"),
    c("smaller_stack_had", FINE),
    c("cache_emptied_until_had", FINE, "it makes room, and asks again; that it lives at its limit may be told", WATCHABLE),
    python("halved_until_had", FINE),
    limited("java-idle", FINE, "-v 8000000", ["{java}", "-Xmx200m", "-cp", "{classes}", "Shapes", "idle"],
            "it has all that it asks for, or asks for less"),
    # Leaks whose end frees all, or that just end.
    c("leak_freed_at_exit", LEAK, "", TOLD),
    c("leaked_blocks_freed_at_exit", LEAK, "", TOLD),
    c("leak_freed_at_a_signal", LEAK, "", TOLD),
    c("leak_that_exits", LEAK),
    c("leak_that_aborts", LEAK),
    python("leak_freed_at_exit", LEAK, "", accepted=TOLD),
    node("wasm_memories_freed_at_exit", LEAK, "of address space: 10 GiB each, untouched", TOLD),
    node("buffers_freed_at_exit", GROWS, HEAP),
    # What ends, and leaks nothing.
    c("cache_freed_at_exit", FINE),
    c("batch_freed_at_exit", FINE, "it loads, then works with that"),
    python("cache_freed_at_exit", FINE),
    node("full_cache_freed_at_exit", FINE),
    # Rests: they neither make a leak good nor a full cache bad.
    c("leak_then_idle", LEAK, "", TOLD),
    c("leak_then_idle_then_freed", LEAK, "", TOLD),
    c("cache_then_idle", FINE),
    # Growth by work, and bursts.
    c("leak_by_requests", LEAK, "", TOLD),
    c("leak_by_ever_rarer_requests", LEAK, "each keeps as much: by the clock it calms, by work it does not", TOLD),
    c("leak_by_waves_of_requests", LEAK, "", TOLD),
    c("served_requests", FINE),
    c("burst_at_the_start", FINE),
    c("bursts_given_back", FINE),
    c("burst_that_is_reused", FINE),
    c("doubling_table_in_use", FINE),
    # Copied on write, and shared.
    c("inherited_pages_copied", GROWS, "up to what was inherited, which is not reached"),
    c("inherited_pages_copied_at_once", FINE),
    c("saving_children", FINE, "each child ends soon, and the copies are the parent's only pages then"),
    python("children_that_copy", FINE, "as before, by reference counts"),
    c("shared_with_children", FINE, "64 MiB, five times mapped"),
    c("memfd_mapped_thrice", FINE),
    c("memfd_mapped_again_and_again", LEAK, "of mappings: the pages are always the same", TOLD),
    c("memfds_kept_open", GROWS, "nothing stays mapped: the pages are kept by descriptors"),
    c("memfds_closed", FINE),
    # Of files.
    c("file_read_through_slowly", FINE, "page cache, and no more than the file has"),
    c("many_files_at_the_start", FINE),
    c("files_read_and_unmapped", FINE),
    c("files_kept_mapped", LEAK, "of mappings", TOLD),
    # The kernel's to take back, and huge.
    c("lazily_freed", FINE),
    c("pool_lazily_freed_each_time", FINE),
    c("huge_pages_around_few_bytes", FINE),
    c("forgotten_huge_pages", LEAK),
    # Mappings as such.
    c("splits_piling_up", GROWS, "mappings, of which there may be 65,530, and hardly any memory"),
    c("splits_that_heal", FINE),
    c("many_mappings_at_the_start", FINE),
]
