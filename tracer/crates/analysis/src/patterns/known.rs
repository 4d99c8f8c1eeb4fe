//! The patterns that come with the tool.

use std::sync::LazyLock;

use super::recognise::Patterns;
use tracer_ledger::event::Frame;

/// The files of `patterns`, by their names.
const EMBEDDED: [(&str, &str); 5] = [
    (
        "allocators.toml",
        include_str!("../../patterns/allocators.toml"),
    ),
    (
        "mappings.toml",
        include_str!("../../patterns/mappings.toml"),
    ),
    (
        "runtimes.toml",
        include_str!("../../patterns/runtimes.toml"),
    ),
    ("managed.toml", include_str!("../../patterns/managed.toml")),
    ("v8.toml", include_str!("../../patterns/v8.toml")),
];

/// The embedded patterns.
///
/// # Panics
/// One of the embedded files is not right, which a test of every one of them rules out.
#[must_use]
pub fn patterns() -> Patterns {
    let mut patterns = Patterns::default();
    for (name, text) in EMBEDDED {
        if let Err(mistake) = patterns.add(text) {
            panic!("patterns/{name}:{mistake}");
        }
    }
    patterns
}

/// The row of a table that a call site with this stack (innermost frame first) is read in where there are many of them,
/// by its name: it takes memory for everybody. By names of functions alone, so that it needs no recognition.
#[must_use]
pub fn row(frames: &[Frame]) -> Option<&'static str> {
    static PATTERNS: LazyLock<Patterns> = LazyLock::new(patterns);
    PATTERNS.row(frames)
}

#[cfg(test)]
mod tests {
    use super::row;
    use tracer_ledger::event::Frame;

    #[test]
    fn the_innermost_allocator_that_is_known_decides() {
        for (stack, name) in [
            (
                &["mmap", "alloc_new_heap.part.0", "malloc", "_dl_map_object"][..],
                Some("glibc malloc arenas"),
            ),
            (
                &["brk", "sbrk", "__default_morecore", "sysmalloc"],
                Some("malloc heap (brk)"),
            ),
            (
                &[
                    "mmap",
                    "v8::internal::MemoryAllocator::AllocateAlignedMemory(unsigned long)",
                ],
                Some("V8 heap pages"),
            ),
            (
                &["mmap", "_PyObject_ArenaMmap", "new_arena"],
                Some("Python object arenas"),
            ),
            (
                &["__mmap64", "_dl_map_object_from_fd", "dl_main"],
                Some("shared libraries, loaded"),
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
            assert_eq!(row(&frames), name, "{stack:?}");
        }
    }
}
