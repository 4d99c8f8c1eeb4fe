//! Names of functions, files and modules as people read them.

pub use crate::words::names::last_part;
use crate::words::names::without_appended;
use tracer_ledger::event::{Frame, FrameKind};

/// Name without arguments and compilers' suffixes, or module and offset.
#[must_use]
pub fn full_name(frame: &Frame) -> String {
    match &frame.function {
        Some(function) if is_script(frame) => function.clone(),
        Some(function) => without_decoration(without_thunk(function)),
        None => match &frame.module {
            Some(module) => format!("{}+{:#x}", last_part(module), frame.offset),
            None => format!("{:#x}", frame.offset),
        },
    }
}

/// The last two parts of a name, without template arguments: `BackingStore::AllocateWasmMemory`; of
/// glibc's aliases of one function the plain one; of a script's function without a name, the place.
#[must_use]
pub fn short_name(frame: &Frame) -> String {
    let full = full_name(frame);
    if is_script(frame) {
        return match (&frame.file, frame.line) {
            (Some(file), Some(line)) if is_nameless(&full) => format!("{}:{line}", last_part(file)),
            _ => full,
        };
    }
    if frame.function.is_none() {
        return full;
    }
    if let Some(alias) = full.strip_prefix("__GI_") {
        return alias.trim_start_matches('_').to_owned();
    }
    let plain = without_brackets(&full);
    let parts: Vec<&str> = without_result(&plain)
        .split("::")
        .filter(|part| !part.is_empty() && !part.contains("closure"))
        .filter(|part| !part.starts_with("{lambda") && !matches!(*part, "operator()" | "_FUN"))
        .filter(|part| !matches!(*part, "(anonymous namespace)" | "internal" | "base"))
        .collect();
    let short = parts[parts.len().saturating_sub(2)..].join("::");
    if short.is_empty() { full } else { short }
}

/// File and line, else the module: `client-h1.js:68`, `in libc.so.6`.
#[must_use]
pub fn location(frame: &Frame) -> Option<String> {
    let path = |file: &str| {
        if is_script(frame) {
            script_path(file)
        } else {
            source_path(file)
        }
    };
    match (&frame.file, frame.line) {
        (Some(file), Some(line)) => Some(format!("{}:{line}", path(file))),
        (Some(file), None) => Some(path(file)),
        (None, _) => {
            frame.function.as_ref()?;
            Some(format!("in {}", last_part(frame.module.as_deref()?)))
        }
    }
}

/// The module, else the script.
#[must_use]
pub fn module(frame: &Frame) -> Option<String> {
    match (&frame.module, &frame.file) {
        (Some(module), _) => Some(last_part(module).to_owned()),
        (None, Some(file)) => Some(script_path(file)),
        (None, None) => None,
    }
}

/// Compiled at run time or interpreted.
#[must_use]
pub fn is_script(frame: &Frame) -> bool {
    matches!(frame.kind, FrameKind::Jit | FrameKind::Interpreted)
}

/// Within the dynamic loader. musl's is its C library as well: of that file only how it begins.
#[must_use]
pub fn is_loader(frame: &Frame) -> bool {
    let Some(file) = frame.module.as_deref().map(last_part) else {
        return false;
    };
    if file.starts_with("ld-musl") {
        let function = frame.function.as_deref().unwrap_or_default();
        return function.starts_with("_dlstart") || function.starts_with("__dls");
    }
    file.starts_with("ld-") || file.starts_with("ld.so")
}

/// How V8 calls a function without a name.
fn is_nameless(function: &str) -> bool {
    matches!(function, "" | "(anonymous)" | "(top level)")
}

/// `{virtual override thunk({offset(-8)}, T::f())}` and `non-virtual thunk to T::f()` are ways into
/// `T::f()` that the compiler made.
fn without_thunk(function: &str) -> &str {
    let braced = function
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .filter(|rest| rest.contains(" thunk("))
        .and_then(|rest| rest.split_once("}, "))
        .and_then(|(_, target)| target.strip_suffix(')'));
    braced
        .or_else(|| Some(function.split_once("thunk to ")?.1))
        .unwrap_or(function)
}

/// Cuts off what compilers and linkers add: arguments, `.constprop.0`, `@@GLIBC_2.2.5`, Rust's hash.
fn without_decoration(function: &str) -> String {
    let function = without_appended(function);
    let mut depth = 0i32;
    let mut arguments = None;
    for (at, letter) in function.char_indices() {
        match letter {
            '<' => depth += 1,
            '>' if at > 0 && !function[..at].ends_with('-') => depth -= 1,
            '(' if depth <= 0
                && at > 0
                && !function[at..].starts_with("(anonymous")
                && !function[..at].ends_with("operator") =>
            {
                arguments = Some(at);
                break;
            }
            _ => {}
        }
    }
    let name = &function[..arguments.unwrap_or(function.len())];
    match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            path.to_owned()
        }
        _ => name.to_owned(),
    }
}

/// `Vec<u8>::push` → `Vec::push`; `<T as Trait>::method` → `T::method`.
fn without_brackets(name: &str) -> String {
    if let Some(inner) = name.strip_prefix('<') {
        let mut depth = 1;
        for (at, letter) in inner.char_indices() {
            match letter {
                '<' => depth += 1,
                '>' if !inner[..at].ends_with('-') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let kind = inner[..at].split(" as ").next().unwrap_or(inner);
                let method = &inner[at + 1..];
                return format!("{}{}", without_brackets(kind), without_brackets(method));
            }
        }
    }
    let mut depth = 0i32;
    let mut plain = String::with_capacity(name.len());
    let mut previous = ' ';
    for letter in name.chars() {
        match letter {
            '<' => depth += 1,
            // The arrow of a function's type closes nothing.
            '>' if depth > 0 && previous != '-' => depth -= 1,
            _ if depth == 0 => plain.push(letter),
            _ => {}
        }
        previous = letter;
    }
    plain
}

/// A template's demangled name begins with its result: `void ns::T::f` → `ns::T::f`. Expects no
/// template arguments.
fn without_result(name: &str) -> &str {
    const UNNAMED: &str = "(anonymous namespace)";
    let until = name.find("operator").unwrap_or(name.len());
    // The only space that may stand within a name besides those after `operator`.
    let unnamed = name[..until].find(UNNAMED);
    let searched = unnamed.map_or(until, |at| at);
    name[..searched]
        .rfind(' ')
        .map_or(name, |at| &name[at + 1..])
}

/// A script's path from its last `node_modules` on, without a scheme.
fn script_path(path: &str) -> String {
    let path = path.strip_prefix("file://").unwrap_or(path);
    match path.rfind("/node_modules/") {
        Some(at) => path[at + 1..].to_owned(),
        None => path.to_owned(),
    }
}

/// The path of a source file without what only the machine that compiled it had: what follows the
/// last `..` is within the tree that was built, the Rust toolchain's and Cargo's own folders are left
/// out, and of any other absolute path the last three parts stay.
fn source_path(path: &str) -> String {
    const KEPT: usize = 3;
    let path = path.rsplit_once("/../").map_or(path, |(_, rest)| rest);
    let path = path.trim_start_matches("./").trim_start_matches("../");
    for (root, folders) in [("/rustc/", 1), ("/registry/src/", 1)] {
        if let Some((_, rest)) = path.split_once(root) {
            return rest.splitn(folders + 1, '/').last().unwrap_or(rest).into();
        }
    }
    if !path.starts_with('/') {
        return path.to_owned();
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    parts[parts.len().saturating_sub(KEPT)..].join("/")
}

#[cfg(test)]
mod tests {
    use super::{full_name, is_loader, location, short_name};
    use tracer_ledger::event::{Frame, FrameKind};

    fn native(function: &str) -> Frame {
        Frame {
            function: Some(function.into()),
            module: Some("/opt/node/bin/node".into()),
            ..Frame::default()
        }
    }

    #[test]
    fn a_call_within_musl_is_not_within_the_loader_though_it_is_the_same_file() {
        let of = |module: &str, function: &str| {
            is_loader(&Frame {
                module: Some(module.into()),
                ..native(function)
            })
        };
        assert!(of("/lib64/ld-linux-x86-64.so.2", "_dl_map_object"));
        assert!(!of("/lib/ld-musl-x86_64.so.1", "malloc"));
        assert!(of("/lib/ld-musl-x86_64.so.1", "__dls3"));
    }

    #[test]
    fn names_lose_what_compilers_add() {
        for (name, full, short) in [
            ("a::b::c::h0123456789abcdef", "a::b::c", "b::c"),
            ("f.constprop.0", "f", "f"),
            (
                "call_once<fn() -> u8, ()>",
                "call_once<fn() -> u8, ()>",
                "call_once",
            ),
            (
                "ns::T<int, (X)1>::get(int) const",
                "ns::T<int, (X)1>::get",
                "T::get",
            ),
            (
                "(anonymous namespace)::go(int)",
                "(anonymous namespace)::go",
                "go",
            ),
            (
                "<a::T as b::Trait>::method",
                "<a::T as b::Trait>::method",
                "T::method",
            ),
            ("a::b::{{closure}}", "a::b::{{closure}}", "a::b"),
            ("malloc@@GLIBC_2.2.5", "malloc", "malloc"),
            ("X::operator()(int)", "X::operator()", "X"),
            (
                "operator new(unsigned long)",
                "operator new",
                "operator new",
            ),
        ] {
            assert_eq!(full_name(&native(name)), full);
            assert_eq!(short_name(&native(name)), short);
        }
    }

    #[test]
    fn of_a_template_neither_the_result_nor_the_arguments_are_shown() {
        for (name, short) in [
            (
                "heap::base::SlotCallbackResult v8::internal::Scavenger::Scavenge<v8::Slot>",
                "Scavenger::Scavenge",
            ),
            (
                "v8::MaybeHandle<v8::Object> v8::internal::(anonymous namespace)::Help<true>",
                "v8::Help",
            ),
            (
                "void heap::base::Stack::SetMarker<v8::Heap::Collect(int)::{lambda()#2}>",
                "Stack::SetMarker",
            ),
            (
                "v8::Heap::Collect(v8::Space, int)::{lambda()#2}::operator()",
                "Heap::Collect",
            ),
            ("bool ns::T::operator==<int>(int const&)", "T::operator=="),
        ] {
            assert_eq!(short_name(&native(name)), short);
        }
    }

    #[test]
    fn a_thunk_has_the_name_of_what_it_leads_to() {
        for name in [
            "{virtual override thunk({offset(-8)}, v8::platform::Worker::~Worker())}",
            "non-virtual thunk to v8::platform::Worker::~Worker()",
        ] {
            assert_eq!(full_name(&native(name)), "v8::platform::Worker::~Worker");
        }
    }

    #[test]
    fn a_script_without_a_name_is_called_by_its_place() {
        let frame = Frame {
            function: Some("(anonymous)".into()),
            file: Some("/srv/app/lib/client.js".into()),
            line: Some(473),
            kind: FrameKind::Interpreted,
            ..Frame::default()
        };
        assert_eq!(short_name(&frame), "client.js:473");
    }

    #[test]
    fn paths_begin_where_they_say_something() {
        for (path, shown) in [
            (
                "/build/ws/out/../deps/uv/src/unix/loop.c",
                "deps/uv/src/unix/loop.c",
            ),
            (
                "./misc/../sysdeps/unix/sysv/linux/mmap64.c",
                "sysdeps/unix/sysv/linux/mmap64.c",
            ),
            ("./malloc/arena.c", "malloc/arena.c"),
            (
                "/rustc/0123456789abcdef/library/std/src/rt.rs",
                "library/std/src/rt.rs",
            ),
            (
                "/opt/cargo/registry/src/index-1f/bytes-1.2/src/bytes.rs",
                "bytes-1.2/src/bytes.rs",
            ),
            ("/w/project/server/src/cache.rs", "server/src/cache.rs"),
            ("/a.c", "a.c"),
        ] {
            let frame = Frame {
                file: Some(path.into()),
                ..Frame::default()
            };
            assert_eq!(location(&frame).as_deref(), Some(shown));
        }
    }

    #[test]
    fn a_script_of_a_package_is_named_from_the_package_on() {
        let of = |file: &str| {
            location(&Frame {
                file: Some(file.into()),
                line: Some(68),
                kind: FrameKind::Jit,
                ..Frame::default()
            })
        };
        assert_eq!(
            of("file:///srv/app/node_modules/undici/lib/client-h1.js").as_deref(),
            Some("node_modules/undici/lib/client-h1.js:68")
        );
        assert_eq!(of("/srv/app/a.js").as_deref(), Some("/srv/app/a.js:68"));
    }
}
