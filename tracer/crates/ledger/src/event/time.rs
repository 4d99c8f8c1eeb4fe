//! When an event took effect.

use super::{Event, Nanoseconds};

impl Event {
    /// When it took effect; `None` of what is told about other events (stacks, totals of the trace) and of
    /// what belongs to no moment.
    #[must_use]
    pub const fn time(&self) -> Option<Nanoseconds> {
        Some(match self {
            Self::Started(started) => started.time,
            Self::Found(found) => found.time,
            Self::Maps(maps) => maps.time,
            Self::Call(call) => call.stamp.time,
            Self::Fault(fault) => fault.stamp.time,
            Self::SampledFault(sampled) => sampled.fault.stamp.time,
            Self::Resident(resident) => resident.time,
            Self::Fork(fork) => fork.stamp.time,
            Self::Thread(thread) => thread.stamp.time,
            Self::Exec(exec) => exec.stamp.time,
            Self::Exit(exit) => exit.stamp.time,
            Self::Rename(rename) => rename.stamp.time,
            Self::Sample(sample) => sample.time,
            Self::Loss(loss) => loss.time,
            Self::Reading(reading) => reading.time,
            Self::Missing(missing) => missing.time,
            Self::Looking(looking) => looking.time,
            Self::Machine(machine) => machine.time,
            Self::Shown(shown) => shown.time,
            Self::Ended(ended) => ended.time,
            Self::Refused(refused) => refused.stamp.time,
            Self::RefusedAgain(again) => again.time,
            Self::Accounted(accounted) => accounted.time,
            Self::Usage(usage) => usage.time,
            Self::Shares(shares) => shares.time,
            Self::Mappings(mappings) => mappings.time,
            Self::Split(split) => split.stamp.time,
            Self::Group(group) => group.time,
            Self::OomKill(kill) => kill.time,
            Self::Backed(backed) => backed.time,
            Self::Named(named) => named.time,
            Self::Unseen(unseen) => unseen.stamp.time,
            Self::Stack(_)
            | Self::Incomplete(_)
            | Self::Module(_)
            | Self::Learning(_)
            | Self::Failures(_)
            | Self::File(_) => {
                return None;
            }
        })
    }
}
