//! One set of conditions, and whether it holds for what was seen of a call site.

use super::range::SizeRanges;
use super::words::{file_name, matches};
use crate::words::mapping_words;
use crate::words::units::{bytes, count};
use tracer_ledger::event::{FileKind, Frame};
use tracer_ledger::ledger::change::Origin;

/// What was seen of a call site.
#[derive(Clone, Debug, Default)]
pub struct Observation<'a> {
    /// Innermost first.
    pub frames: &'a [Frame],
    /// By what the reservations were made; `None`: no call was seen.
    pub origin: Option<Origin>,
    /// The least and the most that a call got, bytes; `None`: no call was seen.
    pub requested: Option<(u64, u64)>,
    /// What is left of each that lives.
    pub settled: Vec<Settled<'a>>,
    /// Names of the threads that called.
    pub threads: Vec<&'a str>,
    /// The process's runtime and version.
    pub runtime: Option<&'a str>,
    /// Path of the process's executable.
    pub exe: &'a str,
    /// It grows still, or more and more of it is touched.
    pub growing: bool,
    /// More than half of it is touched, and not just a few pages.
    pub mostly_touched: bool,
}

/// What is left of one reservation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settled<'a> {
    /// First address still held.
    pub start: u64,
    /// Bytes still held.
    pub reserved: u64,
    /// Of these, accessible.
    pub accessible: u64,
    /// Where the first accessible byte lies, from [`Self::start`]; `None`: none is accessible.
    pub accessible_at: Option<u64>,
    /// `PROT_*` bits of the most bytes.
    pub protection: u8,
    /// `MAP_*` bits of the call.
    pub flags: u32,
    /// File or kernel's name.
    pub name: &'a str,
    /// What the file is, where the call has told it.
    pub kind_of_file: Option<FileKind>,
}

/// Conditions, all of which are to hold; an empty one always does.
#[derive(Clone, Debug, Default)]
pub struct When {
    pub confidence: f64,
    /// Even so it may be another's.
    pub guess: bool,
    /// By what call.
    pub call: Option<Origin>,
    /// Each is a frame's function.
    pub frames: Vec<String>,
    /// None is a frame's function.
    pub without_frames: Vec<String>,
    /// File name of the module whose code made the call; `?`: of no known module.
    pub caller: Option<String>,
    /// File name of a module that is in the stack.
    pub module: Option<String>,
    pub runtime: Option<String>,
    pub program: Option<String>,
    pub thread: Option<String>,
    pub requested: Option<SizeRanges>,
    pub settled: Option<SizeRanges>,
    /// Bytes of the one reservation that is at least nine tenths of all that lives: of a program that names no caller,
    /// every call is of one site.
    pub mostly: Option<SizeRanges>,
    pub accessible: Option<SizeRanges>,
    pub accessible_at: Option<SizeRanges>,
    pub aligned: Option<u64>,
    pub protection: Option<String>,
    pub flags: Vec<String>,
    pub without_flags: Vec<String>,
    pub name: Option<String>,
}

/// Conditions that held.
#[derive(Clone, Debug)]
pub struct Match {
    pub confidence: f64,
    pub evidence: Vec<String>,
    /// Beside the shape there is something that says whose it is: see [`super::guess`].
    pub witnessed: bool,
    /// The innermost frame that a condition was on.
    innermost: usize,
}

impl Match {
    /// What a shape says: no frame was seen.
    pub fn by_shape(confidence: f64, evidence: Vec<String>, witnessed: bool) -> Self {
        Self {
            confidence,
            evidence,
            witnessed,
            innermost: usize::MAX,
        }
    }

    /// Surer, or as sure and nearer to the kernel.
    pub fn is_better_than(&self, other: &Self) -> bool {
        self.confidence > other.confidence
            || (self.confidence >= other.confidence && self.innermost < other.innermost)
    }
}

/// What a condition came to: it does not hold, or what there is to be said for it.
type Held = Option<Vec<String>>;

impl When {
    /// The evidence, if all conditions hold. `functions`: those of the frames.
    pub fn holds(&self, seen: &Observation<'_>, functions: &[Option<&str>]) -> Option<Match> {
        // The stack is told first and looked at last: there is most to look at.
        let (process, request) = (self.process(seen)?, self.request(seen)?);
        let (mut evidence, innermost) = self.stack(seen, functions)?;
        evidence.extend(process);
        evidence.extend(request);
        evidence.extend(self.shape(seen)?);
        Some(Match {
            confidence: self.confidence,
            evidence,
            witnessed: self.is_witnessed(),
            innermost,
        })
    }

    /// Who called, the program, the name of what is mapped, or a call or a flag that only this kind has; sizes,
    /// places and protections anybody's memory may have.
    fn is_witnessed(&self) -> bool {
        const TELLING: [&str; 3] = ["SHARED", "HUGETLB", "STACK"];
        let says_who = !self.frames.is_empty()
            || self.caller.as_deref().is_some_and(|words| words != "?")
            || self.runtime.is_some()
            || self.program.is_some()
            || self.thread.is_some()
            || self.name.is_some()
            || self.call.is_some_and(|call| call != Origin::Map)
            || self.flags.iter().any(|flag| TELLING.contains(&&**flag));
        says_who && !self.guess
    }

    fn stack(
        &self,
        seen: &Observation<'_>,
        functions: &[Option<&str>],
    ) -> Option<(Vec<String>, usize)> {
        let place = |words: &String| {
            let is_one =
                |function: &Option<&str>| function.is_some_and(|name| matches(words, name));
            functions.iter().position(is_one)
        };
        if self
            .without_frames
            .iter()
            .any(|words| place(words).is_some())
        {
            return None;
        }
        let mut places: Vec<usize> = self.frames.iter().map(place).collect::<Option<_>>()?;
        places.sort_unstable();
        places.dedup();
        let innermost = places.first().copied().unwrap_or(usize::MAX);
        let through: Vec<&str> = places.iter().filter_map(|&at| functions[at]).collect();
        let mut evidence = Vec::new();
        if !through.is_empty() {
            evidence.push(format!("the call comes through {}", through.join(" ← ")));
        }
        if let Some(words) = &self.caller {
            let module = caller(seen.frames, functions)?;
            if !matches(words, module) {
                return None;
            }
            // No known module: that says nothing for it.
            if module != "?" {
                evidence.push(format!("called by code of {module}"));
            }
        }
        if let Some(words) = &self.module {
            let mut modules = seen
                .frames
                .iter()
                .filter_map(|frame| frame.module.as_deref());
            let module = modules.find(|path| matches(words, file_name(path)))?;
            evidence.push(format!("through code of {}", file_name(module)));
        }
        Some((evidence, innermost))
    }

    fn process(&self, seen: &Observation<'_>) -> Held {
        let mut evidence = Vec::new();
        if let Some(words) = &self.runtime {
            let runtime = seen.runtime.filter(|runtime| matches(words, runtime))?;
            evidence.push(format!("the process runs {runtime}"));
        }
        if let Some(words) = &self.program {
            let program = Some(file_name(seen.exe)).filter(|name| matches(words, name))?;
            evidence.push(format!("the program is {program}"));
        }
        if let Some(words) = &self.thread {
            let threads = &seen.threads;
            if threads.is_empty() || !threads.iter().all(|name| matches(words, name)) {
                return None;
            }
            evidence.push(format!("by threads named {}", threads.join(", ")));
        }
        Some(evidence)
    }

    fn request(&self, seen: &Observation<'_>) -> Held {
        let mut evidence = Vec::new();
        if let Some(call) = self.call {
            if seen.origin != Some(call) {
                return None;
            }
            if call != Origin::Map {
                evidence.push(format!("by {}", call_word(call)));
            }
        }
        if let Some(ranges) = &self.requested {
            let span = seen.requested.filter(|span| ranges.hold(*span))?;
            evidence.push(format!("asked for {}", span_words(span)));
        }
        Some(evidence)
    }

    /// Of all that lives; without a living reservation no condition on the shape holds.
    fn shape(&self, seen: &Observation<'_>) -> Held {
        let living = &seen.settled;
        let asks = self.settled.is_some()
            || self.mostly.is_some()
            || self.accessible.is_some()
            || self.accessible_at.is_some()
            || self.aligned.is_some()
            || self.protection.is_some()
            || self.name.is_some()
            || !(self.flags.is_empty() && self.without_flags.is_empty());
        if !asks {
            return Some(Vec::new());
        }
        let mut evidence = Vec::new();
        if let Some(ranges) = &self.settled {
            let span = span(living.iter().map(|one| one.reserved))?;
            if !living
                .iter()
                .all(|one| ranges.hold((one.reserved, one.reserved)))
            {
                return None;
            }
            evidence.push(format!("settled at {}", span_words(span)));
        }
        if let Some(ranges) = &self.mostly {
            let largest = living.iter().map(|one| one.reserved).max()?;
            let all: u64 = living.iter().map(|one| one.reserved).sum();
            if !ranges.hold((largest, largest)) || largest < all / 10 * 9 {
                return None;
            }
            evidence.push(format!("most of it is one of {}", bytes(largest)));
        }
        if let Some(aligned) = self.aligned {
            span(living.iter().map(|one| one.start))?;
            if !living.iter().all(|one| one.start.is_multiple_of(aligned)) {
                return None;
            }
            evidence.push(format!("aligned to {}", bytes(aligned)));
        }
        if let Some(ranges) = &self.accessible {
            let span = span(living.iter().map(|one| one.accessible))?;
            if !living
                .iter()
                .all(|one| ranges.hold((one.accessible, one.accessible)))
            {
                return None;
            }
            evidence.push(format!("accessible: {}", span_words(span)));
        }
        if let Some(ranges) = &self.accessible_at {
            let at: Vec<u64> = living
                .iter()
                .map(|one| one.accessible_at)
                .collect::<Option<_>>()?;
            let span = span(at.iter().copied())?;
            if !at.iter().all(|at| ranges.hold((*at, *at))) {
                return None;
            }
            evidence.push(match span {
                (0, 0) => "accessible from its first byte on".into(),
                span => format!("accessible from {} on", span_words(span)),
            });
        }
        evidence.extend(self.mapping(living)?);
        Some(evidence)
    }

    fn mapping(&self, living: &[Settled<'_>]) -> Held {
        let mut evidence = Vec::new();
        let first = living.first()?;
        if let Some(words) = &self.protection {
            let word = |one: &Settled<'_>| mapping_words::protection(one.protection);
            if !living.iter().all(|one| matches(words, &word(one))) {
                return None;
            }
            evidence.push(format!("mostly {}", word(first)));
        }
        for one in living {
            let flags = mapping_words::flags(one.flags);
            let has = |flag: &String| flags.contains(flag);
            if !self.flags.iter().all(has) || self.without_flags.iter().any(has) {
                return None;
            }
        }
        if !self.flags.is_empty() {
            evidence.push(format!("flags {}", self.flags.join(", ")));
        }
        if let Some(words) = &self.name {
            if !living.iter().all(|one| matches(words, one.name)) {
                return None;
            }
            if !first.name.is_empty() {
                evidence.push(format!("named {}", first.name));
            }
        }
        Some(evidence)
    }
}

/// File name of the module whose code made the system call, `?` if that is none or if the stack is lost behind the C
/// library's wrapper; `None` without a stack.
fn caller<'a>(frames: &'a [Frame], functions: &[Option<&str>]) -> Option<&'a str> {
    // The C library's wrappers of the calls, and ways around them.
    const WRAPPERS: &str =
        "mmap|mmap64|brk|sbrk|mremap|shmat|syscall|glibc_morecore|default_morecore";
    let is_wrapper = |function: &Option<&str>| {
        function.is_some_and(|name| {
            let name = name.strip_prefix("__GI_").unwrap_or(name);
            matches(WRAPPERS, name.trim_start_matches('_'))
        })
    };
    let Some(at) = functions.iter().position(|name| !is_wrapper(name)) else {
        return (!frames.is_empty()).then_some("?");
    };
    Some(frames[at].module.as_deref().map_or("?", file_name))
}

fn call_word(call: Origin) -> &'static str {
    match call {
        Origin::Map => "mmap",
        Origin::Remap => "mremap",
        Origin::Break => "brk",
        Origin::Attach => "shmat",
        Origin::PreExisting | Origin::Inherited | Origin::Unseen => "no call",
    }
}

fn span(values: impl Iterator<Item = u64>) -> Option<(u64, u64)> {
    values.fold(None, |span, value| {
        let (least, most) = span.unwrap_or((value, value));
        Some((least.min(value), most.max(value)))
    })
}

fn span_words((least, most): (u64, u64)) -> String {
    if least == most {
        format!("{} ({} bytes)", bytes(least), count(least))
    } else {
        format!("{} to {}", bytes(least), bytes(most))
    }
}
