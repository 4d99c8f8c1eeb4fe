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

/// glibc's aliases of one function: `__GI___mmap64`, `__libc_malloc`, `_int_malloc`, `mmap@@GLIBC`.
#[must_use]
pub fn bare(name: &str) -> &str {
    let name = name.split(['@', '(']).next().unwrap_or(name);
    let name = name.split('.').next().unwrap_or(name);
    if name == "_start" {
        return name;
    }
    let name = name.strip_prefix("__GI_").unwrap_or(name);
    let name = name.trim_start_matches('_');
    match name.strip_prefix("libc_") {
        Some(rest) if !rest.starts_with("start") => rest,
        _ => name,
    }
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
