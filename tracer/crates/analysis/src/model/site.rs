//! What the model says of a call site. A part of [`crate::model::summary`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::meaning::Pattern;
use crate::model::rate::Rate;
use crate::model::window::Sets;
use tracer_ledger::event::{Frame, StackQuality};

/// All reservations made from one call stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Site {
    /// Stable within the report.
    pub id: u32,
    /// Short, and the same in every run: made of what of its stack stays the same from run to run.
    #[serde(default)]
    pub key: String,
    /// Innermost first.
    pub frames: Vec<Frame>,
    /// How much of the stack is known.
    pub stack: StackQuality,
    /// Names of the threads that called.
    pub thread_names: Vec<String>,
    /// What to call it: the function whose doing it is. Without frames (no call was seen) the file's or the kernel's
    /// name that its reservations share; not pre-existing, that is growth that no call explains.
    pub name: String,
    /// Where that function is: source file or script and line, else the module; `null`: not known.
    #[serde(default, rename = "where")]
    pub place: Option<String>,
    /// What kind of reservation this is.
    pub pattern: Option<Pattern>,
    /// Whether these reservations were there before tracing, or made by the kernel at exec.
    pub pre_existing: bool,
    /// Successful calls that reserved.
    pub calls: u64,
    /// Reservations alive at the end.
    pub live: u64,
    /// Bytes alive at the end.
    pub reserved_bytes: u64,
    /// Of these, with a protection other than NONE.
    pub accessible_bytes: u64,
    /// Of these, ever touched; `null` if faults were not followed.
    pub touched_bytes: Option<u64>,
    /// Of these, in memory at the last look; `null` if nobody looked.
    pub resident_bytes: Option<u64>,
    /// Of these, charged against the commit limit.
    pub charged_bytes: u64,
    /// Bytes given back in the course of the trace.
    pub released_bytes: u64,
    /// The most bytes alive at any time.
    pub peak_bytes: u64,
    /// First call, ns.
    pub first_ns: u64,
    /// Last call, ns.
    pub last_ns: u64,
    /// Lifetimes of released reservations.
    pub lifetime_ns: Option<Quantiles>,
    /// Sizes of the reservations as they were made; `null` where no birth was seen.
    pub size_bytes: Option<Quantiles>,
    /// Files that its mappings are of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Mappings that it made, by the calls that made one into several too; `null`: not known.
    #[serde(default)]
    pub mappings: Option<u64>,
    /// Calls that were refused here, for want of something.
    #[serde(default)]
    pub refused: u64,
    /// Its course.
    pub trend: Trend,
    /// If it grows: at what rate at present, bytes in an hour; `null` too where that is not sure.
    #[serde(default)]
    pub growth_per_hour: Option<Rate>,
    /// By when its bytes were allocated and freed; `null` without a window.
    #[serde(default)]
    pub window: Option<Sets>,
    /// Which code touched it first, the most first: an estimate, from the stacks of one page fault in so many.
    /// Absent if none was taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touch_sites: Vec<TouchSite>,
    /// Its live bytes over time, a point where they change: coarser the longer the trace, and absent for
    /// the small ones of very many sites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<SitePoint>,
}

/// What lived of a site from a moment on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SitePoint {
    /// ns since the trace began.
    pub t_ns: u64,
    /// Mapped.
    pub reserved_bytes: u64,
    /// Of these, accessible.
    pub accessible_bytes: u64,
    /// Of these, touched; 0 if faults were not followed.
    pub touched_bytes: u64,
}

/// Code that touched pages of a site's reservations before any other did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TouchSite {
    /// Innermost first: of the access, or of the system call that made it.
    pub frames: Vec<Frame>,
    /// How much of the stack is known.
    pub stack: StackQuality,
    /// Page faults whose stacks were taken, and that touched pages first.
    pub sampled_faults: u64,
    /// One page fault in so many was to be taken.
    pub one_in: u32,
    /// An estimate: the bytes that those touched, times `one_in`. Since released bytes count too, it is no
    /// part of `touched_bytes`.
    pub estimated_bytes: u64,
}

/// Quantiles of many reservations' figures: lifetimes in ns, sizes in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quantiles {
    /// Median.
    pub p50: u64,
    /// 90th percentile.
    pub p90: u64,
    /// 99th percentile.
    pub p99: u64,
    /// The largest, exact.
    pub max: u64,
}

/// The course of a site's live bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trend {
    /// One call, or a few at one time, and nothing since.
    #[default]
    OneOff,
    /// It grew and stopped growing.
    Settled,
    /// It grows still.
    Growing,
    /// It comes and goes.
    Churn,
}
