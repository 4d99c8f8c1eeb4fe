//! A stack folded to what matters: the frame whose doing it is, who called it, and by what way it
//! came to the kernel.

use super::names::{full_name, is_loader, location, module, short_name};
use super::noise::{Rank, rank};
use super::wrappers::Wrappers;
use tracer_ledger::event::Frame;

/// A folded stack. Strings are as they came: to be escaped where they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
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
    /// The title is a runtime's, no code of the program is in the stack.
    pub runtime: bool,
    /// The title is the way into the kernel, an allocator, a library: the stack ends before who asked.
    pub edge: bool,
}

/// One function on the way to the kernel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// Its short name.
    pub name: String,
    /// It is an allocator's, a library's, a wrapper's: the first to be left out.
    pub edge: bool,
}

impl Folded {
    /// Who it is, in short, and where: `main refused.c:4`; `None`: nothing is known of whose doing it is.
    #[must_use]
    pub fn who(&self) -> Option<String> {
        self.title.as_ref().filter(|_| !self.edge)?;
        let location = self.location.as_ref();
        let place = location.map_or_else(String::new, |place| format!(" {place}"));
        Some(format!("{}{place}", self.short))
    }
}

/// Folds a stack (innermost frame first) of a process whose wrappers are known.
#[must_use]
pub fn fold(frames: &[Frame], wrappers: &Wrappers) -> Folded {
    let Some(title) = wrappers.title(frames) else {
        return Folded::default();
    };
    let ranks: Vec<Rank> = frames.iter().map(rank).collect();
    let mut callers: Vec<String> = Vec::new();
    for index in title + 1..frames.len() {
        // Above the program's own code only more of it; above a runtime's also the runtime's.
        let worth = ranks[index] == Rank::User
            || (ranks[title] != Rank::User && ranks[index] == Rank::Runtime);
        let name = short_name(&frames[index]);
        if worth && frames[index].function.is_some() && callers.last() != Some(&name) {
            callers.push(name);
        }
    }
    let mut way: Vec<Step> = Vec::new();
    for index in (0..title).rev() {
        let step = Step {
            name: short_name(&frames[index]),
            edge: ranks[index] == Rank::Edge,
        };
        let again = way.last().is_some_and(|last| is_same(last, &step));
        // An address within a runtime or a library says nothing on the way.
        let says = frames[index].function.is_some() || ranks[index] == Rank::User;
        if says && ranks[index] != Rank::Glue && !again {
            way.push(step);
        }
    }
    let frame = &frames[title];
    if is_loader(frame) {
        // Its own functions say no more than that.
        return Folded {
            title: Some("dynamic loader".into()),
            short: "dynamic loader".into(),
            module: module(frame),
            ..Folded::default()
        };
    }
    Folded {
        title: Some(full_name(frame)),
        short: short_name(frame),
        location: location(frame),
        callers,
        way,
        module: module(frame),
        runtime: ranks[title] == Rank::Runtime,
        edge: ranks[title] == Rank::Edge,
    }
}

/// The same function, or glibc's other name for it: `mmap` and `mmap64`.
fn is_same(outer: &Step, inner: &Step) -> bool {
    let plain = |step: &Step| step.name.trim_start_matches('_').to_owned();
    let (outer_name, inner_name) = (plain(outer), plain(inner));
    outer_name == inner_name || inner_name.strip_suffix("64") == Some(outer_name.as_str())
}

#[cfg(test)]
mod tests {
    use super::{Folded, fold};
    use crate::naming::wrappers::Wrappers;
    use tracer_ledger::event::{Frame, FrameKind};

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

    fn alone(frames: &[Frame]) -> Folded {
        fold(frames, &Wrappers::default())
    }

    #[test]
    fn the_script_that_asked_is_the_title_and_the_runtime_is_the_way() {
        let folded = alone(&[
            native("__GI___mmap64"),
            native("mmap"),
            native("v8::base::OS::Allocate(void*, unsigned long)"),
            native("v8::internal::WasmMemoryObject::New(v8::internal::Isolate*, int)"),
            native("construct_stub_invoke_deopt_addr"),
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
            native("SSL_read"),
            native("main"),
        ]);
        assert_eq!(folded.title.as_deref(), Some("lazyllhttp"));
        assert_eq!(
            folded.location.as_deref(),
            Some("node_modules/undici/lib/dispatcher/client-h1.js:68")
        );
        assert_eq!(folded.callers, ["connectH1"]);
        assert!(!folded.runtime);
        let way: Vec<&str> = folded.way.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(way, ["WasmMemoryObject::New", "OS::Allocate", "mmap"]);
    }

    #[test]
    fn a_stack_that_ends_in_the_way_to_the_kernel_does_not_say_who_asked() {
        let frame = Frame {
            file: Some("refused.c".into()),
            line: Some(4),
            ..native("main")
        };
        assert_eq!(alone(&[native("mmap")]).who(), None);
        let who = alone(&[native("mmap"), frame]).who();
        assert_eq!(who.as_deref(), Some("main refused.c:4"));
    }

    #[test]
    fn without_own_code_the_runtime_says_what_it_is_for() {
        let folded = alone(&[
            native("mmap"),
            native("v8::internal::VirtualMemoryCage::InitReservation"),
            native("v8::internal::CodeRange::InitReservation"),
            native("v8::internal::Heap::SetUp"),
            native("main"),
        ]);
        assert_eq!(
            folded.title.as_deref(),
            Some("v8::internal::CodeRange::InitReservation")
        );
        assert_eq!(folded.callers, ["Heap::SetUp"]);
        assert!(folded.runtime);
    }

    #[test]
    fn wrappers_are_on_the_way() {
        let other = [
            native("mmap"),
            native("v8::Zone::Expand"),
            native("v8::Lexer::Scan"),
        ];
        let one = [
            native("mmap"),
            native("v8::Zone::Expand"),
            native("v8::Parser::Parse"),
            native("v8::Script::Compile"),
        ];
        let wrappers = Wrappers::of([&one[..], &other[..]]);
        let folded = fold(&one, &wrappers);
        assert_eq!(folded.title.as_deref(), Some("v8::Parser::Parse"));
        assert_eq!(folded.callers, ["Script::Compile"]);
        assert_eq!(folded.way[0].name, "Zone::Expand");
        assert!(!folded.way[0].edge);
    }

    #[test]
    fn the_loader_is_named_as_such() {
        let within = |function: &str, module: &str| Frame {
            module: Some(module.into()),
            ..native(function)
        };
        let loader = "/usr/lib64/ld-linux-x86-64.so.2";
        let folded = alone(&[
            within("__mmap64", loader),
            within("_dl_map_object", loader),
            within("_start", loader),
        ]);
        assert_eq!(folded.title.as_deref(), Some("dynamic loader"));
        assert!(folded.way.is_empty());
    }

    #[test]
    fn an_address_within_a_runtime_is_no_step_of_the_way() {
        let nameless = Frame {
            function: None,
            ..native("")
        };
        let folded = alone(&[
            native("pthread_create"),
            nameless,
            script("start", "/srv/app/a.js", 1),
        ]);
        let way: Vec<&str> = folded.way.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(way, ["pthread_create"]);
    }

    #[test]
    fn a_stack_of_addresses_nowhere_has_no_title() {
        let nowhere = Frame {
            offset: 4,
            ..Frame::default()
        };
        assert_eq!(alone(&[nowhere]).title, None);
    }
}
