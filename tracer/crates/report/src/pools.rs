//! Memory that an allocator takes for everybody: whoever happens to be there when its pool grows is
//! the caller, so its many sites say less than their sum. By names of functions alone: what such
//! memory means, and what to do about it, is said elsewhere.

use super::noise::bare;
use tracer_ledger::event::Frame;

/// A pool that grows in many places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pool {
    /// `_int_new_arena` of glibc's `malloc/arena.c`: an arena for each of the first threads that call `malloc`.
    MallocArenas,
    /// `sbrk` by glibc's `malloc`: the heap of the main arena.
    MallocHeap,
    /// V8's `MemoryAllocator`: the pages of its garbage-collected heap.
    V8Heap,
    /// `_PyObject_ArenaMmap` of CPython's `Objects/obmalloc.c`: arenas for small objects.
    PythonArenas,
    /// `_dl_map_object` of glibc's `elf/dl-load.c`: shared libraries.
    Libraries,
}

impl Pool {
    /// The pool that a stack (innermost frame first) takes memory for.
    #[must_use]
    pub fn of(frames: &[Frame]) -> Option<Self> {
        // The innermost that is known decides: the arena of a loader's `malloc` is no library.
        frames.iter().find_map(|frame| {
            let function = frame.function.as_deref()?;
            if function.starts_with("v8::internal::MemoryAllocator::Allocate") {
                return Some(Self::V8Heap);
            }
            match bare(function) {
                "int_new_arena" | "alloc_new_heap" => Some(Self::MallocArenas),
                "default_morecore" | "glibc_morecore" => Some(Self::MallocHeap),
                "PyObject_ArenaMmap" => Some(Self::PythonArenas),
                "dl_map_object" | "dl_map_object_from_fd" => Some(Self::Libraries),
                _ => None,
            }
        })
    }

    /// Its name in the report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MallocArenas => "glibc malloc arenas",
            Self::MallocHeap => "malloc heap (brk)",
            Self::V8Heap => "V8 heap pages",
            Self::PythonArenas => "Python object arenas",
            Self::Libraries => "shared libraries, loaded",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;
    use tracer_ledger::event::Frame;

    #[test]
    fn the_innermost_allocator_that_is_known_decides() {
        for (stack, pool) in [
            (
                &["mmap", "alloc_new_heap.part.0", "malloc", "_dl_map_object"][..],
                Some(Pool::MallocArenas),
            ),
            (
                &["brk", "sbrk", "__default_morecore", "sysmalloc"],
                Some(Pool::MallocHeap),
            ),
            (
                &[
                    "mmap",
                    "v8::internal::MemoryAllocator::AllocateAlignedMemory(unsigned long)",
                ],
                Some(Pool::V8Heap),
            ),
            (
                &["mmap", "_PyObject_ArenaMmap", "new_arena"],
                Some(Pool::PythonArenas),
            ),
            (
                &["__mmap64", "_dl_map_object_from_fd", "dl_main"],
                Some(Pool::Libraries),
            ),
            (&["mmap", "sysmalloc_mmap", "malloc", "main"], None),
            (&["mmap", "v8::internal::CodeRange::InitReservation"], None),
        ] {
            let frames: Vec<Frame> = stack
                .iter()
                .map(|name| Frame {
                    function: Some((*name).into()),
                    ..Frame::default()
                })
                .collect();
            assert_eq!(Pool::of(&frames), pool, "{stack:?}");
        }
    }
}
