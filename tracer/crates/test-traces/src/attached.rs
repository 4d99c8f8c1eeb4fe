//! A process that was attached to: what most tests begin with, and what they ask of its report.

use tracer_analysis::summary::{Process, Report, Site};
use tracer_ledger::event::{
    Event, Found, Frame, Identity, Limits, Pid, SpaceId, StackId, StackQuality, Tid,
};

use super::trace::{MIB, Trace};

pub const ME: (u32, u32) = (7, 7);

pub fn found(trace: &mut Trace, pid: u32, space: u32, identity: Identity) {
    let found = Found {
        time: trace.time(),
        pid: Pid(pid),
        parent: Pid(1),
        space: SpaceId(space),
        threads: vec![(Tid(pid), identity.comm.clone())],
        identity,
    };
    trace.tell(&Event::Found(found), &[]);
}

pub fn named(comm: &str) -> Identity {
    Identity {
        comm: comm.into(),
        ..Identity::default()
    }
}

pub fn attached(faults: &str) -> Trace {
    let mut trace = Trace::begin(faults);
    found(&mut trace, 7, 1, named("server"));
    trace.seed(
        7,
        1,
        &[("/srv/server", MIB), ("[heap]", MIB), ("[heap]", MIB)],
    );
    trace
}

/// A process found with these limits and nothing mapped but its program.
pub fn within(limits: Limits) -> Trace {
    let mut trace = Trace::begin("each");
    let identity = Identity {
        limits,
        ..named("server")
    };
    found(&mut trace, 7, 1, identity);
    trace.seed(7, 1, &[("/srv/server", MIB)]);
    trace
}

pub fn stack(trace: &mut Trace, id: u32, function: &str) -> StackId {
    let frame = Frame {
        function: Some(function.into()),
        module: Some("/srv/server".into()),
        offset: 16,
        ..Frame::default()
    };
    trace.stack(id, StackQuality::Complete, vec![frame])
}

pub fn report(trace: &Trace) -> Report {
    trace.analysis.report(trace)
}

pub fn site<'a>(process: &'a Process, function: &str) -> &'a Site {
    process
        .sites
        .iter()
        .find(|site| {
            let frame = site.frames.first();
            frame.is_some_and(|frame| frame.function.as_deref() == Some(function))
        })
        .unwrap()
}
