//! A stack folded to what matters: the frame whose doing it is, who called it, and by what way it
//! came to the kernel.

use super::noise::{Rank, rank};
use crate::event::{Frame, FrameKind};

/// A folded stack. Strings are as they came: to be escaped where they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// The frame whose doing it is: its name, or module and offset. `None`: nothing is known.
    pub title: Option<String>,
    /// Where that is: script or source file and line, else the module.
    pub location: Option<String>,
    /// The program's own callers, nearest first.
    pub callers: Vec<String>,
    /// From the title's callee to the kernel, outermost first.
    pub way: Vec<Step>,
    /// The title in short.
    pub short: String,
    /// The module (or script) that the title is in.
    pub module: Option<String>,
}

/// One function on the way to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its short name.
    pub name: String,
    /// It is an allocator's, a library's, a wrapper's: the first to be left out.
    pub edge: bool,
}

/// Folds a stack (innermost frame first).
#[must_use]
pub fn fold(frames: &[Frame]) -> Folded {
    let ranks: Vec<Rank> = frames.iter().map(rank).collect();
    let named = |index: &usize| frames[*index].function.is_some();
    let first = |rank: Rank| {
        let mut of_rank = (0..frames.len()).filter(|&index| ranks[index] == rank);
        // Innermost first, but a name says more than an address.
        let any = of_rank.clone().next();
        of_rank.find(named).or(any)
    };
    let Some(title) = [Rank::User, Rank::Runtime, Rank::Start, Rank::Edge]
        .into_iter()
        .find_map(first)
    else {
        return Folded::default();
    };
    let mut callers: Vec<String> = Vec::new();
    for index in title + 1..frames.len() {
        // Above the program's own code only more of it; above a runtime's also the runtime's.
        let worth = ranks[index] == Rank::User
            || (ranks[title] != Rank::User && ranks[index] == Rank::Runtime);
        let name = short_name(&frames[index]);
        if worth && named(&index) && callers.last() != Some(&name) {
            callers.push(name);
        }
    }
    let mut way: Vec<Step> = Vec::new();
    for index in (0..title).rev() {
        let step = Step {
            name: short_name(&frames[index]),
            edge: ranks[index] == Rank::Edge,
        };
        if ranks[index] != Rank::Glue && way.last() != Some(&step) {
            way.push(step);
        }
    }
    Folded {
        title: Some(full_name(&frames[title])),
        short: short_name(&frames[title]),
        location: location(&frames[title]),
        callers,
        way,
        module: module(&frames[title]),
    }
}

/// Name without arguments and compilers' suffixes, or module and offset.
#[must_use]
pub fn full_name(frame: &Frame) -> String {
    match &frame.function {
        Some(function) if is_script(frame) => function.clone(),
        Some(function) => without_decoration(function),
        None => match &frame.module {
            Some(module) => format!("{}+{:#x}", last_part(module), frame.offset),
            None => format!("{:#x}", frame.offset),
        },
    }
}

/// The last two parts of a name, without template arguments: `BackingStore::AllocateWasmMemory`; of
/// glibc's aliases of one function the plain one.
#[must_use]
pub fn short_name(frame: &Frame) -> String {
    let full = full_name(frame);
    if frame.function.is_none() || is_script(frame) {
        return full;
    }
    if let Some(alias) = full.strip_prefix("__GI_") {
        return alias.trim_start_matches('_').to_owned();
    }
    let plain = without_brackets(&full);
    let parts: Vec<&str> = plain
        .split("::")
        .filter(|part| !part.is_empty() && !part.contains("closure"))
        .filter(|part| !matches!(*part, "(anonymous namespace)" | "internal" | "base"))
        .collect();
    let short = parts[parts.len().saturating_sub(2)..].join("::");
    if short.is_empty() { full } else { short }
}

fn is_script(frame: &Frame) -> bool {
    matches!(frame.kind, FrameKind::Jit | FrameKind::Interpreted)
}

/// Cuts off what compilers and linkers add: arguments, `.constprop.0`, `@@GLIBC_2.2.5`, Rust's hash.
fn without_decoration(function: &str) -> String {
    let mut end = function.len();
    for mark in [
        ".isra.",
        ".constprop.",
        ".part.",
        ".cold",
        ".llvm.",
        "@",
        " [clone",
    ] {
        if let Some(at) = function.find(mark) {
            end = end.min(at);
        }
    }
    let mut depth = 0i32;
    let mut arguments = None;
    for (at, letter) in function[..end].char_indices() {
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
    let name = &function[..arguments.unwrap_or(end)];
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
    for letter in name.chars() {
        match letter {
            '<' => depth += 1,
            '>' if depth > 0 => depth -= 1,
            _ if depth == 0 => plain.push(letter),
            _ => {}
        }
    }
    plain
}

fn location(frame: &Frame) -> Option<String> {
    match (&frame.file, frame.line) {
        (Some(file), Some(line)) => Some(format!("{}:{line}", short_path(file))),
        (Some(file), None) => Some(short_path(file)),
        (None, _) => {
            frame.function.as_ref()?;
            Some(format!("in {}", last_part(frame.module.as_deref()?)))
        }
    }
}

fn module(frame: &Frame) -> Option<String> {
    match (&frame.module, &frame.file) {
        (Some(module), _) => Some(last_part(module).to_owned()),
        (None, Some(file)) => Some(short_path(file)),
        (None, None) => None,
    }
}

/// A path from its last `node_modules` on, without a scheme.
fn short_path(path: &str) -> String {
    let path = path.strip_prefix("file://").unwrap_or(path);
    match path.rfind("/node_modules/") {
        Some(at) => path[at + 1..].to_owned(),
        None => path.to_owned(),
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::{fold, full_name, short_name};
    use crate::event::{Frame, FrameKind};

    fn native(function: &str) -> Frame {
        Frame {
            function: Some(function.into()),
            module: Some("/opt/node/bin/node".into()),
            ..Frame::default()
        }
    }

    fn script(function: &str, file: &str, line: u32) -> Frame {
        Frame {
            function: Some(function.into()),
            file: Some(file.into()),
            line: Some(line),
            kind: FrameKind::Jit,
            ..Frame::default()
        }
    }

    #[test]
    fn the_script_that_asked_is_the_title_and_the_runtime_is_the_way() {
        let folded = fold(&[
            native("mmap"),
            native("v8::base::OS::Allocate(void*, unsigned long)"),
            native("v8::internal::WasmMemoryObject::New(v8::internal::Isolate*, int)"),
            native("Builtins_InterpreterEntryTrampoline"),
            script(
                "lazyllhttp",
                "file:///srv/app/node_modules/undici/lib/dispatcher/client-h1.js",
                68,
            ),
            native("Builtins_InterpreterEntryTrampoline"),
            script(
                "connectH1",
                "file:///srv/app/node_modules/undici/lib/dispatcher/client-h1.js",
                300,
            ),
            script("processTicks", "node:internal/process/task_queues", 105),
            native("main"),
        ]);
        assert_eq!(folded.title.as_deref(), Some("lazyllhttp"));
        assert_eq!(
            folded.location.as_deref(),
            Some("node_modules/undici/lib/dispatcher/client-h1.js:68")
        );
        assert_eq!(folded.callers, ["connectH1"]);
        let way: Vec<&str> = folded.way.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(way, ["WasmMemoryObject::New", "OS::Allocate", "mmap"]);
    }

    #[test]
    fn without_own_code_the_runtime_says_what_it_is_for() {
        let folded = fold(&[
            native("mmap"),
            native("v8::internal::CodeRange::InitReservation"),
            native("v8::internal::Heap::SetUp"),
            native("main"),
        ]);
        assert_eq!(
            folded.title.as_deref(),
            Some("v8::internal::CodeRange::InitReservation")
        );
        assert_eq!(folded.callers, ["Heap::SetUp"]);
    }

    #[test]
    fn a_stack_of_addresses_nowhere_has_no_title() {
        let nowhere = Frame {
            offset: 4,
            ..Frame::default()
        };
        assert_eq!(fold(&[nowhere]).title, None);
    }

    #[test]
    fn names_lose_what_compilers_add() {
        for (name, full, short) in [
            ("a::b::c::h0123456789abcdef", "a::b::c", "b::c"),
            ("f.constprop.0", "f", "f"),
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
            ("X::operator()(int)", "X::operator()", "X::operator()"),
        ] {
            assert_eq!(full_name(&native(name)), full);
            assert_eq!(short_name(&native(name)), short);
        }
    }
}
