//! Names stacks, in a thread of its own: symbol tables are large, and whoever drains the kernel's
//! ring must not wait for them.
//!
//! A runtime may write its perf map late, or through a buffer: a stack with code made at run time
//! that has no name yet is delivered as it is, and **delivered again** under the same id once
//! more is known: when the map has grown, when the process has ended ([`Namer::ended`]), or at
//! the end ([`Namer::finish`]). The later delivery replaces the earlier one.
//!
//! Code made at run time is replaced by other code at the same addresses. A stack has the names that were
//! valid when it was taken (see [`super::perf_names`]), however late it is named. And since a stack is named
//! once, whoever gives out ids must know when an address has another name: [`Told::Replaced`]. A map is read
//! at each new stack with such code, and else twice a second: for so long a stack that is the same as one
//! before, address by address, may go by the old name.

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use super::files::{FileId, ModuleFile};
use super::modules::Place;
use super::native_names::NativeNames;
use super::perf_map::{Clocks, Owner, PerfMap};
use super::perf_names::NameAt;
use super::runtime_names;
use super::unwind::Unwound;
use tracer_ledger::event::{
    Frame, FrameKind, Module, Nanoseconds, Pid, SpaceId, Stack, StackId, StackQuality,
};

/// How long an idle thread waits before it looks whether a perf map has grown.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// The most stacks of one address space that are kept to be named better.
const MAX_INCOMPLETE: usize = 8192;

/// What the thread tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// A stack, named.
    Stack(Stack),
    /// A file that frames of stacks lie in; each once.
    Module(Module),
    /// Code made at run time has, or may have, another name than before.
    Replaced {
        /// Whose.
        space: SpaceId,
        /// Where.
        ranges: Vec<Range<u64>>,
        /// Not before.
        since: Nanoseconds,
    },
}

/// Where stacks are sent to be named.
#[derive(Debug)]
pub struct Namer {
    requests: Sender<Request>,
    thread: JoinHandle<()>,
}

enum Request {
    Name(Unnamed),
    Ended(SpaceId),
}

struct Unnamed {
    id: StackId,
    pid: Pid,
    space: SpaceId,
    /// When it was taken.
    time: Nanoseconds,
    quality: StackQuality,
    places: Vec<Place>,
    /// Frames that a perf map may name yet, when it was last delivered.
    nameless: usize,
}

impl Namer {
    /// Starts the thread; `deliver` is called in it with whatever there is to tell.
    ///
    /// # Errors
    /// If the system has no thread to give.
    pub fn start(deliver: impl FnMut(Told) + Send + 'static) -> io::Result<Self> {
        let (requests, received) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("stack-names".to_owned())
            .spawn(move || Worker::new(deliver).run(&received))?;
        Ok(Self { requests, thread })
    }

    /// Asks for the names of a stack that was taken at `time`; the answer is delivered soon, see the module's
    /// documentation.
    pub fn name(&self, id: StackId, pid: Pid, space: SpaceId, time: Nanoseconds, stack: Unwound) {
        let Unwound {
            quality, places, ..
        } = stack;
        let nameless = places.len();
        let stack = Unnamed {
            id,
            pid,
            space,
            time,
            quality,
            places,
            nameless,
        };
        // The receiver lives until `finish`, unless it has panicked: then there are no names.
        let _ = self.requests.send(Request::Name(stack));
    }

    /// An address space has ended: its perf map is complete, and its number may be another's now.
    pub fn ended(&self, space: SpaceId) {
        let _ = self.requests.send(Request::Ended(space));
    }

    /// Delivers what is still outstanding, and ends the thread. Says whether it ended in order.
    pub fn finish(self) -> bool {
        drop(self.requests);
        self.thread.join().is_ok()
    }
}

/// What has another name, and since when at the earliest.
type Replaced = (Vec<Range<u64>>, Nanoseconds);

/// What is known of one address space's code made at run time.
struct Runtime {
    /// A process in that address space.
    pid: Pid,
    owner: Option<Owner>,
    map: Option<PerfMap>,
    /// Stacks that were delivered with nameless frames.
    incomplete: Vec<Unnamed>,
}

impl Runtime {
    fn of(pid: Pid) -> Self {
        Self {
            pid,
            owner: None,
            map: None,
            incomplete: Vec::new(),
        }
    }

    /// Opens the perf map if there is one by now, and reads what is new. Says whether there was anything, and
    /// what has another name since when.
    fn refresh(&mut self) -> (bool, Option<Replaced>) {
        let pid = self.pid;
        if self.owner.is_none() {
            self.owner = Owner::read(pid).ok();
        }
        if let (None, Some(owner)) = (&self.map, &self.owner) {
            match PerfMap::open(pid, owner) {
                Ok(map) => self.map = Some(map),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => log::debug!("perf map of process {pid}: {error}"),
            }
        }
        let Some(map) = &mut self.map else {
            return (false, None);
        };
        let since = map.last_read();
        let grown = map.refresh(Clocks::now).unwrap_or(false);
        let replaced = map.names_mut().take_replaced();
        // Before the first reading nothing had a name here that could be an old one.
        let known = since.filter(|_| !replaced.is_empty());
        (grown, known.map(|since| (replaced, since)))
    }

    fn find(&self, address: u64, time: Nanoseconds) -> NameAt<'_> {
        self.map
            .as_ref()
            .map_or(NameAt::Nothing, |map| map.names().find(address, time))
    }
}

struct Worker<D> {
    deliver: D,
    native: NativeNames,
    /// Files that were told, by version and path.
    told: HashSet<(FileId, Arc<str>)>,
    runtimes: HashMap<SpaceId, Runtime>,
}

impl<D: FnMut(Told)> Worker<D> {
    fn new(deliver: D) -> Self {
        Self {
            deliver,
            native: NativeNames::default(),
            told: HashSet::new(),
            runtimes: HashMap::new(),
        }
    }

    fn run(mut self, requests: &Receiver<Request>) {
        loop {
            let request = if self.may_learn_more() {
                requests.recv_timeout(LOOK_AGAIN)
            } else {
                requests.recv().map_err(RecvTimeoutError::from)
            };
            match request {
                Ok(Request::Name(stack)) => self.name(stack),
                Ok(Request::Ended(space)) => {
                    self.look_again(space);
                    self.runtimes.remove(&space);
                }
                Err(RecvTimeoutError::Timeout) => self.look_at_all(),
                Err(RecvTimeoutError::Disconnected) => break self.look_at_all(),
            }
        }
    }

    /// Whether there is a map that may grow, or one that may appear yet.
    fn may_learn_more(&self) -> bool {
        self.runtimes
            .values()
            .any(|runtime| runtime.map.is_some() || !runtime.incomplete.is_empty())
    }

    /// Reads what is new in the map of an address space. Says whether there was anything.
    fn refresh(&mut self, space: SpaceId) -> bool {
        let Some(runtime) = self.runtimes.get_mut(&space) else {
            return false;
        };
        let (grown, replaced) = runtime.refresh();
        if let Some((ranges, since)) = replaced {
            (self.deliver)(Told::Replaced {
                space,
                ranges,
                since,
            });
        }
        grown
    }

    fn name(&mut self, mut stack: Unnamed) {
        if stack.places.iter().any(is_runtime) {
            let runtime = Runtime::of(stack.pid);
            self.runtimes.entry(stack.space).or_insert(runtime);
            self.refresh(stack.space);
        }
        self.tell_modules(&stack.places);
        let (named, nameless) = self.named(&stack);
        (self.deliver)(Told::Stack(named));
        stack.nameless = nameless;
        if nameless > 0
            && let Some(runtime) = self.runtimes.get_mut(&stack.space)
            && runtime.incomplete.len() < MAX_INCOMPLETE
        {
            runtime.incomplete.push(stack);
        }
    }

    fn tell_modules(&mut self, places: &[Place]) {
        for place in places {
            if let Place::File { module, path, .. } = place
                && self.told.insert((module.id, Arc::clone(path)))
            {
                (self.deliver)(Told::Module(Module {
                    path: path.to_string(),
                    build_id: module.layout.build_id.as_deref().map(hex),
                }));
            }
        }
    }

    fn look_at_all(&mut self) {
        let spaces: Vec<SpaceId> = self.runtimes.keys().copied().collect();
        for space in spaces {
            self.look_again(space);
        }
    }

    /// Delivers again what has got more names.
    fn look_again(&mut self, space: SpaceId) {
        if !self.refresh(space) {
            return;
        }
        let Some(runtime) = self.runtimes.get_mut(&space) else {
            return;
        };
        let mut still = Vec::new();
        for mut stack in std::mem::take(&mut runtime.incomplete) {
            let (named, nameless) = self.named(&stack);
            if nameless < stack.nameless {
                (self.deliver)(Told::Stack(named));
            }
            stack.nameless = nameless;
            if nameless > 0 {
                still.push(stack);
            }
        }
        if let Some(runtime) = self.runtimes.get_mut(&space) {
            runtime.incomplete = still;
        }
    }

    /// The stack with the names that are known, and how many may come yet.
    fn named(&mut self, stack: &Unnamed) -> (Stack, usize) {
        let mut frames = Vec::with_capacity(stack.places.len());
        let mut nameless = 0;
        // What may have been either of two codes: if the stack comes again, it shall be looked at again.
        let mut unclear = Vec::new();
        let runtime = self.runtimes.get(&stack.space);
        let mut find = |lookup: u64, may_come: bool| {
            let found = runtime.map_or(NameAt::Nothing, |found| found.find(lookup, stack.time));
            match found {
                NameAt::Name(name) => return Some(runtime_names::frame(name)),
                NameAt::Unclear => unclear.push(lookup..lookup + 1),
                NameAt::Nothing => nameless += usize::from(may_come),
            }
            None
        };
        for place in &stack.places {
            match place {
                Place::File {
                    module,
                    path,
                    lookup,
                    offset,
                } => {
                    frames.extend(native(&mut self.native, module, path, *lookup, *offset));
                }
                Place::Mapping {
                    path,
                    offset,
                    lookup,
                } => {
                    let module = Some(path.to_string());
                    frames.push(Frame {
                        module,
                        offset: *offset,
                        ..find(*lookup, false).unwrap_or_default()
                    });
                }
                Place::Runtime { lookup, address } => {
                    let unknown = Frame {
                        kind: FrameKind::Jit,
                        ..Frame::default()
                    };
                    frames.push(Frame {
                        offset: *address,
                        ..find(*lookup, true).unwrap_or(unknown)
                    });
                }
                Place::Nowhere { address } => {
                    frames.push(Frame {
                        offset: *address,
                        ..Frame::default()
                    });
                }
            }
        }
        if !unclear.is_empty() {
            (self.deliver)(Told::Replaced {
                space: stack.space,
                ranges: unclear,
                since: stack.time,
            });
        }
        (
            Stack {
                id: stack.id,
                quality: stack.quality,
                frames,
            },
            nameless,
        )
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a perf map may name it.
fn is_runtime(place: &Place) -> bool {
    matches!(place, Place::Runtime { .. } | Place::Mapping { .. })
}

fn native(
    names: &mut NativeNames,
    module: &Arc<ModuleFile>,
    path: &str,
    lookup: u64,
    offset: u64,
) -> Vec<Frame> {
    let place = |frame: &Frame| Frame {
        module: Some(path.to_owned()),
        offset,
        ..frame.clone()
    };
    names
        .frames(module, path, lookup)
        .iter()
        .map(place)
        .collect()
}
