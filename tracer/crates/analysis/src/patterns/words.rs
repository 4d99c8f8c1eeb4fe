//! Words with `*` in them, and names of functions as patterns write them.

use memchr::memmem;

pub use crate::words::names::last_part as file_name;
use crate::words::names::without_appended;

/// Whether a text is one of the words between the `|`s; `*` stands for any text, also none.
#[must_use]
pub fn matches(words: &str, text: &str) -> bool {
    // Bytes: this is asked some thousand times for each call site, of words that are short.
    let mut words = words.as_bytes().split(|byte| *byte == b'|');
    words.any(|word| matches_one(word, text.as_bytes()))
}

fn matches_one(word: &[u8], text: &[u8]) -> bool {
    // Most begin otherwise.
    if word.first() != text.first() && word.first() != Some(&b'*') {
        return false;
    }
    let mut parts = word.split(|byte| *byte == b'*');
    let start = parts.next().unwrap_or_default();
    let Some(mut text) = text.strip_prefix(start) else {
        return false;
    };
    // What follows the last `*` is the end; all between may lie anywhere, the first place is the best.
    let Some(end) = parts.next_back() else {
        return text.is_empty();
    };
    for part in parts {
        match memmem::find(text, part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(end)
}

/// A function's name without arguments and without what compilers and linkers append:
/// `alloc_new_heap.part.0`, `pthread_create@@GLIBC_2.34`. Underscores stay.
#[must_use]
pub fn plain(function: &str) -> &str {
    let end = arguments(function).unwrap_or(function.len());
    let name = &function[..end];
    // Most names have nothing of the kind.
    if name
        .bytes()
        .any(|letter| matches!(letter, b'.' | b'@' | b'['))
    {
        without_appended(name)
    } else {
        name
    }
}

/// Where a function's arguments begin: not within template arguments, and not where
/// `(anonymous namespace)::f(int)` and `runtime.(*mheap).sysAlloc` have brackets of their own.
fn arguments(function: &str) -> Option<usize> {
    let mut depth = 0_u32;
    for (at, letter) in function.char_indices() {
        let rest = &function[at..];
        match letter {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            '(' if depth == 0
                && !rest.starts_with("(anonymous namespace)")
                && !rest.starts_with("(*") =>
            {
                return Some(at);
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{matches, plain};

    #[test]
    fn a_star_stands_for_any_text_and_a_bar_for_or() {
        for (words, text, expected) in [
            ("node", "node", true),
            ("node", "nodejs", false),
            ("node*", "nodejs", true),
            ("*::New", "v8::WasmMemoryObject::New", true),
            ("*::New", "v8::WasmMemoryObject::Newer", false),
            ("a*b*c", "aXbXc", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("libc.so*|ld-*", "ld-linux-x86-64.so.2", true),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(words, text), expected, "{words} on {text}");
        }
    }

    #[test]
    fn a_name_loses_what_was_appended_and_keeps_its_own_brackets() {
        for (function, name) in [
            ("alloc_new_heap.part.0", "alloc_new_heap"),
            ("pthread_create@@GLIBC_2.34", "pthread_create"),
            ("v8::A<int>::New(v8::Isolate*, int)", "v8::A<int>::New"),
            (
                "node::(anonymous namespace)::Run(void*)",
                "node::(anonymous namespace)::Run",
            ),
            (
                "v8::Table<v8::Entry, (unsigned long)268435456>::Initialize(int)",
                "v8::Table<v8::Entry, (unsigned long)268435456>::Initialize",
            ),
            ("runtime.(*mheap).sysAlloc", "runtime.(*mheap).sysAlloc"),
            ("__GI___mmap64", "__GI___mmap64"),
        ] {
            assert_eq!(plain(function), name);
        }
    }
}
