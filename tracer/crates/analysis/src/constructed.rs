//! Reports for tests, put together by hand.

use crate::model::summary::{
    LedgerCheck, Level, Limits, Pattern, Process, Report, SCHEMA, Site, Span, Verdict,
};
use tracer_ledger::event::{FaultMode, Frame, StackQuality};

pub const MIB: u64 = 1 << 20;

/// A frame by `function@module` or `module+offset`; the offset of a named one is as given.
pub fn frame(text: &str, offset: u64) -> Frame {
    if let Some((function, module)) = text.split_once('@') {
        return Frame {
            function: Some(function.into()),
            module: Some(module.into()),
            offset,
            ..Frame::default()
        };
    }
    Frame {
        module: Some(text.into()),
        offset,
        ..Frame::default()
    }
}

/// A site of so many live bytes, all of them touched and charged, by one call.
pub fn site(id: u32, frames: Vec<Frame>, bytes: u64) -> Site {
    Site {
        id,
        frames,
        stack: StackQuality::Complete,
        calls: 1,
        live: u64::from(bytes > 0),
        reserved_bytes: bytes,
        accessible_bytes: bytes,
        touched_bytes: Some(bytes),
        resident_bytes: Some(bytes),
        charged_bytes: bytes,
        peak_bytes: bytes,
        ..Site::default()
    }
}

pub fn of_kind(id: &str, site: Site) -> Site {
    Site {
        pattern: Some(Pattern {
            id: id.into(),
            name: format!("kind {id}"),
            confidence: 1.0,
            ..Pattern::default()
        }),
        ..site
    }
}

pub fn process(comm: &str, (pid, ppid): (u32, u32), sites: Vec<Site>) -> Process {
    let end = sites.iter().map(|site| site.reserved_bytes).sum();
    let resident = sites.iter().filter_map(|site| site.resident_bytes).sum();
    let span = |end| Span {
        start: 0,
        peak: end,
        end,
    };
    Process {
        pid,
        ppid,
        comm: comm.into(),
        from_start: true,
        virtual_bytes: span(end),
        resident_bytes: span(resident),
        samples: 1,
        measured: true,
        ledger: LedgerCheck {
            kernel_known: true,
            ..LedgerCheck::default()
        },
        verdict: Verdict {
            level: Level::Benign,
            ..Verdict::default()
        },
        limits: Limits {
            maps: Some(10),
            ..Limits::default()
        },
        sites,
        ..Process::default()
    }
}

pub fn report(processes: Vec<Process>) -> Report {
    Report {
        schema: SCHEMA.into(),
        duration_ns: 1,
        faults: Some(FaultMode::Each),
        events: 1,
        processes,
        ..Report::default()
    }
}
