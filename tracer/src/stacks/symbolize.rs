//! Names stacks, in a thread of its own: symbol tables are large, and whoever drains the kernel's
//! ring must not wait for them.
//!
//! A runtime may write its perf map late, or through a buffer: a stack with code made at run time
//! that has no name yet is delivered as it is, and **delivered again** under the same id once
//! more is known: when the map has grown, when the process has ended ([`Namer::ended`]), or at
//! the end ([`Namer::finish`]). The later delivery replaces the earlier one.

use std::collections::HashMap;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use super::modules::{ModuleFile, Place};
use super::native_names::NativeNames;
use super::perf_map::{Owner, PerfMap};
use super::runtime_names;
use super::unwind::Unwound;
use crate::event::{Frame, FrameKind, Pid, SpaceId, Stack, StackId, StackQuality};

/// How long an idle thread waits before it looks whether a perf map has grown.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// The most stacks of one address space that are kept to be named better.
const MAX_INCOMPLETE: usize = 8192;

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
    quality: StackQuality,
    places: Vec<Place>,
    /// Frames that a perf map may name yet, when it was last delivered.
    nameless: usize,
}

impl Namer {
    /// Starts the thread; `deliver` is called in it with each stack.
    ///
    /// # Errors
    /// If the system has no thread to give.
    pub fn start(deliver: impl FnMut(Stack) + Send + 'static) -> io::Result<Self> {
        let (requests, received) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("stack-names".to_owned())
            .spawn(move || Worker::new(deliver).run(&received))?;
        Ok(Self { requests, thread })
    }

    /// Asks for names; the answer is delivered soon, see the module's documentation.
    pub fn name(&self, id: StackId, pid: Pid, space: SpaceId, stack: Unwound) {
        let Unwound {
            quality, places, ..
        } = stack;
        let nameless = places.len();
        let stack = Unnamed {
            id,
            pid,
            space,
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

/// What is known of one address space's code made at run time.
#[derive(Default)]
struct Runtime {
    owner: Option<Owner>,
    map: Option<PerfMap>,
    /// Stacks that were delivered with nameless frames.
    incomplete: Vec<Unnamed>,
}

impl Runtime {
    /// Opens the perf map if there is one by now, and reads what is new. Says whether there was
    /// anything.
    fn refresh(&mut self, pid: Pid) -> bool {
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
        self.map
            .as_mut()
            .is_some_and(|map| map.refresh().unwrap_or(false))
    }

    fn find(&self, address: u64) -> Option<Frame> {
        Some(runtime_names::frame(
            self.map.as_ref()?.names().find(address)?,
        ))
    }
}

struct Worker<D> {
    deliver: D,
    native: NativeNames,
    runtimes: HashMap<SpaceId, Runtime>,
}

impl<D: FnMut(Stack)> Worker<D> {
    fn new(deliver: D) -> Self {
        Self {
            deliver,
            native: NativeNames::default(),
            runtimes: HashMap::new(),
        }
    }

    fn run(mut self, requests: &Receiver<Request>) {
        loop {
            let request = if self.is_incomplete() {
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

    fn is_incomplete(&self) -> bool {
        self.runtimes
            .values()
            .any(|runtime| !runtime.incomplete.is_empty())
    }

    fn name(&mut self, mut stack: Unnamed) {
        if stack.places.iter().any(is_runtime) {
            let runtime = self.runtimes.entry(stack.space).or_default();
            runtime.refresh(stack.pid);
        }
        let (named, nameless) = self.named(&stack);
        (self.deliver)(named);
        stack.nameless = nameless;
        if nameless > 0 {
            let incomplete = &mut self.runtimes.entry(stack.space).or_default().incomplete;
            if incomplete.len() < MAX_INCOMPLETE {
                incomplete.push(stack);
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
        let Some(runtime) = self.runtimes.get_mut(&space) else {
            return;
        };
        let Some(pid) = runtime.incomplete.first().map(|stack| stack.pid) else {
            return;
        };
        if !runtime.refresh(pid) {
            return;
        }
        let mut still = Vec::new();
        for mut stack in std::mem::take(&mut runtime.incomplete) {
            let (named, nameless) = self.named(&stack);
            if nameless < stack.nameless {
                (self.deliver)(named);
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
        let runtime = self.runtimes.get(&stack.space);
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
                    ..
                } => {
                    let found = runtime.and_then(|runtime| runtime.find(*lookup));
                    let module = Some(path.to_string());
                    frames.push(Frame {
                        module,
                        offset: *offset,
                        ..found.unwrap_or_default()
                    });
                }
                Place::Runtime { lookup, address } => {
                    let found = runtime.and_then(|runtime| runtime.find(*lookup));
                    nameless += usize::from(found.is_none());
                    let unknown = Frame {
                        kind: FrameKind::Jit,
                        ..Frame::default()
                    };
                    frames.push(Frame {
                        offset: *address,
                        ..found.unwrap_or(unknown)
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

/// Whether a perf map may name it.
fn is_runtime(place: &Place) -> bool {
    matches!(place, Place::Runtime { .. } | Place::Mapping { .. })
}

fn native(
    names: &mut NativeNames,
    module: &std::sync::Arc<ModuleFile>,
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
