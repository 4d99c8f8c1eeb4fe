//! What compilers and linkers append to names, and the last parts of paths.

/// Without what is appended to a function anew with each build: `.constprop.0`, `.part.0`,
/// `@@GLIBC_2.2.5`. Arguments and Rust's hash stay.
#[must_use]
pub fn without_appended(function: &str) -> &str {
    const APPENDED: [&str; 8] = [
        ".isra.",
        ".constprop.",
        ".part.",
        ".cold",
        ".llvm.",
        ".lto_priv.",
        "@",
        " [clone",
    ];
    let marks = APPENDED.iter().filter_map(|mark| function.find(mark));
    marks.min().map_or(function, |at| &function[..at])
}

/// What follows the last slash.
#[must_use]
pub fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::without_appended;

    #[test]
    fn the_first_mark_ends_the_name() {
        for name in [
            "alloc_new_heap.part.0",
            "alloc_new_heap@@GLIBC_2.34",
            "alloc_new_heap.isra.0.cold",
            "alloc_new_heap [clone .part.0]",
            "alloc_new_heap",
        ] {
            assert_eq!(without_appended(name), "alloc_new_heap");
        }
        assert_eq!(
            without_appended("runtime.(*mheap).sysAlloc"),
            "runtime.(*mheap).sysAlloc"
        );
    }
}
