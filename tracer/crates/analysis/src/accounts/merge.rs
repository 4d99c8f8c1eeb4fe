//! Accounts that are one line of the report: stacks that read the same, and reservations without a
//! stack that share a name.

use std::collections::HashMap;

use crate::accounts::distribution::Distribution;
use crate::accounts::files::SiteFiles;
use crate::accounts::frames::{FrameIdentity, Stacks};
use crate::accounts::objects::Objects;
use crate::accounts::run::{Located, Run};
use crate::accounts::site::{LiveBytes, SiteAccount, SiteKey, add};
use crate::accounts::threads::NameId;
use crate::accounts::tide::WorkingLife;
use crate::accounts::time::TraceTime;
use crate::accounts::touchers::Touchers;
use crate::accounts::windowed::Windowed;
use tracer_ledger::event::StackId;
use tracer_ledger::ledger::change::{Difference, Origin};

/// What makes accounts one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Sameness<'a> {
    Called(Vec<FrameIdentity<'a>>),
    Inherited(Vec<FrameIdentity<'a>>),
    PreExisting(&'a str),
    Unseen(&'a str),
}

/// Some accounts as one. Sizes are bytes.
#[derive(Clone, Debug)]
pub struct SiteGroup<'a> {
    /// What is left of its reservations.
    pub living: Vec<&'a Located>,
    /// The stack that stands for all.
    pub stack: StackId,
    /// The name that the reservations share, if they are grouped by it.
    pub name: String,
    /// Not made by a call of this process.
    pub pre_existing: bool,
    /// Calls that reserved.
    pub calls: u64,
    /// Alive.
    pub live: u64,
    /// What lives.
    pub figures: Difference,
    /// What of it lives in the end.
    pub left: Difference,
    /// Reservations given back entirely, of those born in the trace.
    pub ended: u64,
    /// In memory at the last look; `None`: nobody looked.
    pub resident: Option<u64>,
    /// Objects that it maps.
    objects: Objects,
    /// Of what was touched, pages that it maps once more, bytes.
    pub touched_again: u64,
    /// Given back.
    pub released: u64,
    /// The most that lived at a time, as far as the thinned courses of several accounts tell.
    pub peak: u64,
    /// First birth.
    pub first: TraceTime,
    /// Last birth.
    pub last: TraceTime,
    /// See [`SiteAccount::origin`]; `None` if they differ.
    pub origin: Option<Origin>,
    /// Who called.
    pub threads: Vec<NameId>,
    /// Of those given back.
    pub lifetimes: Distribution,
    /// See [`SiteAccount::sizes`].
    pub sizes: Distribution,
    /// See [`SiteAccount::touchers`].
    pub touchers: Touchers,
    /// See [`SiteAccount::files`].
    pub files: SiteFiles,
    /// See [`SiteAccount::window`].
    pub window: Windowed,
    /// The course until the end of its process's working life.
    pub history: Vec<(TraceTime, LiveBytes)>,
    /// The course to the very end.
    pub whole: Vec<(TraceTime, LiveBytes)>,
}

/// A run's accounts in groups, in the order of their appearance, with what lives of each: as of its working life's
/// end, as `living` has to be.
pub fn groups<'a>(run: &Run, living: &'a [Located], stacks: &Stacks) -> Vec<SiteGroup<'a>> {
    let names: HashMap<u32, &str> = living
        .iter()
        .filter_map(|one| Some((one.site?, one.left.name.as_str())))
        .collect();
    let life = run.life.as_ref();
    let mut found: HashMap<Sameness<'_>, usize> = HashMap::new();
    let mut groups: Vec<SiteGroup<'_>> = Vec::new();
    let mut members: Vec<Vec<&SiteAccount>> = Vec::new();
    let mut group_of_site = Vec::with_capacity(run.sites.len());
    for (index, account) in run.sites.iter().enumerate() {
        let name = u32::try_from(index)
            .ok()
            .and_then(|index| names.get(&index).copied())
            .unwrap_or("");
        let sameness = match account.key {
            SiteKey::Called(stack) => Sameness::Called(stacks.identity(stack)),
            SiteKey::Inherited(stack) => Sameness::Inherited(stacks.identity(stack)),
            SiteKey::PreExisting(_) => Sameness::PreExisting(name),
            SiteKey::Unseen(_) => Sameness::Unseen(name),
        };
        let group = *found.entry(sameness).or_insert_with(|| {
            groups.push(SiteGroup::begun_by(account, name));
            members.push(Vec::new());
            groups.len() - 1
        });
        groups[group].add(account, life);
        members[group].push(account);
        group_of_site.push(group);
    }
    // Where calls only failed, or only split what others had mapped: a site without a reservation.
    let refused = run.refusals.groups().iter();
    let refused = refused.map(|group| (group.stack, group.first, group.last));
    let splits = run
        .splits
        .keys()
        .map(|&stack| (stack, run.first, run.first));
    for (stack, first, last) in refused.chain(splits) {
        let identity = stacks.identity(stack);
        if !identity.is_empty() {
            found.entry(Sameness::Called(identity)).or_insert_with(|| {
                let mut group = SiteGroup::empty(stack, "", false, first);
                group.last = last;
                groups.push(group);
                members.push(Vec::new());
                groups.len() - 1
            });
        }
    }
    for located in living {
        let known = located
            .site
            .and_then(|site| group_of_site.get(site as usize).copied());
        let group = known.unwrap_or_else(|| {
            let sameness = Sameness::PreExisting(&located.left.name);
            let group = *found.entry(sameness).or_insert_with(|| {
                groups.push(SiteGroup::found_living(located, run.first));
                members.push(Vec::new());
                groups.len() - 1
            });
            groups[group].add_untold(located);
            group
        });
        groups[group].look(located);
    }
    for (group, members) in groups.iter_mut().zip(&members) {
        let whole: Vec<_> = members.iter().map(|one| one.history.points()).collect();
        group.whole = sum_of_courses(&whole);
        let courses: Vec<_> = members.iter().map(|one| one.course(life)).collect();
        let courses: Vec<_> = courses.iter().map(Vec::as_slice).collect();
        group.history = sum_of_courses(&courses);
        let together = group.whole.iter().map(|point| point.1.reserved).max();
        group.peak = group.peak.max(together.unwrap_or(0));
    }
    groups
}

impl<'a> SiteGroup<'a> {
    fn begun_by(account: &SiteAccount, name: &str) -> Self {
        let (stack, name, pre_existing) = match account.key {
            SiteKey::Called(stack) => (stack, "", false),
            SiteKey::Inherited(stack) => (stack, "", true),
            SiteKey::PreExisting(_) => (StackId::NONE, name, true),
            SiteKey::Unseen(_) => (StackId::NONE, name, false),
        };
        Self::empty(stack, name, pre_existing, account.first)
    }

    fn found_living(located: &Located, first: TraceTime) -> Self {
        Self::empty(StackId::NONE, &located.left.name, true, first)
    }

    fn empty(stack: StackId, name: &str, pre_existing: bool, first: TraceTime) -> Self {
        Self {
            living: Vec::new(),
            stack,
            name: name.to_owned(),
            pre_existing,
            calls: 0,
            live: 0,
            figures: Difference::default(),
            left: Difference::default(),
            ended: 0,
            resident: None,
            objects: Objects::default(),
            touched_again: 0,
            released: 0,
            peak: 0,
            first,
            last: first,
            origin: None,
            threads: Vec::new(),
            lifetimes: Distribution::default(),
            sizes: Distribution::default(),
            touchers: Touchers::default(),
            files: SiteFiles::default(),
            window: Windowed::default(),
            history: Vec::new(),
            whole: Vec::new(),
        }
    }

    fn add(&mut self, account: &SiteAccount, life: Option<&WorkingLife>) {
        let stood = account.stood(life);
        self.calls += stood.calls;
        self.live += stood.live;
        add(&mut self.figures, stood.figures);
        add(&mut self.left, account.figures);
        self.released += stood.released;
        self.ended += stood.ended;
        self.peak = self.peak.max(account.peak);
        self.first = self.first.min(account.first);
        self.last = self.last.max(stood.last);
        // The first account decides until another one differs.
        if self.sizes.count() == 0 {
            self.origin = account.origin;
        } else if self.origin != account.origin {
            self.origin = None;
        }
        for thread in &account.threads {
            if !self.threads.contains(thread) {
                self.threads.push(*thread);
            }
        }
        self.lifetimes.merge(&account.lifetimes);
        self.sizes.merge(&account.sizes);
        self.touchers.merge(&account.touchers);
        self.files.merge(&account.files);
        self.window.merge(stood.window);
    }

    /// A living reservation of whose birth and changes nothing was told.
    fn add_untold(&mut self, located: &Located) {
        let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let left = &located.left;
        self.live += 1;
        let figures = Difference {
            reserved: signed(left.reserved),
            accessible: signed(left.accessible),
            charged: signed(left.charged),
            touched: signed(left.touched),
        };
        add(&mut self.figures, figures);
        add(&mut self.left, figures);
        self.peak = self.peak.max(left.reserved);
    }

    fn look(&mut self, located: &'a Located) {
        self.living.push(located);
        let again = self.objects.again(&located.left);
        self.touched_again += again.touched;
        if let Some(resident) = located.left.resident {
            *self.resident.get_or_insert(0) += resident - again.resident;
        }
    }
}

/// The sum of step functions, a point wherever one of them has one.
pub fn sum_of_courses(courses: &[&[(TraceTime, LiveBytes)]]) -> Vec<(TraceTime, LiveBytes)> {
    if let [one] = courses {
        return one.to_vec();
    }
    let mut steps: Vec<(TraceTime, usize, LiveBytes)> = courses
        .iter()
        .enumerate()
        .flat_map(|(index, points)| points.iter().map(move |point| (point.0, index, point.1)))
        .collect();
    steps.sort_by_key(|step| (step.0, step.1));
    let mut last = vec![LiveBytes::default(); courses.len()];
    let mut sum = LiveBytes::default();
    let mut points: Vec<(TraceTime, LiveBytes)> = Vec::new();
    for (time, index, live) in steps {
        sum.reserved = sum.reserved - last[index].reserved + live.reserved;
        sum.accessible = sum.accessible - last[index].accessible + live.accessible;
        sum.touched = sum.touched - last[index].touched + live.touched;
        last[index] = live;
        match points.last_mut() {
            Some(point) if point.0 == time => point.1 = sum,
            _ => points.push((time, sum)),
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::sum_of_courses;
    use crate::accounts::site::{LiveBytes, SiteAccount, SiteKey};
    use crate::accounts::time::TraceTime;
    use tracer_ledger::event::StackId;
    use tracer_ledger::ledger::change::Difference;

    #[test]
    fn courses_add_up_at_every_step_of_either() {
        let at = |ms: u64| TraceTime(ms * 1_000_000);
        let account = |births: &[u64]| {
            let mut account = SiteAccount::new(SiteKey::Called(StackId(1)), TraceTime(0));
            for (event, ms) in (1..).zip(births) {
                let figures = Difference {
                    reserved: 10,
                    ..Difference::default()
                };
                account.born(at(*ms), event, figures, None);
            }
            account
        };
        let (one, other) = (account(&[1, 5]), account(&[3]));
        let sum = sum_of_courses(&[one.history.points(), other.history.points()]);
        let live = |reserved| LiveBytes {
            reserved,
            ..LiveBytes::default()
        };
        let expected = [(1, 10), (3, 20), (5, 30)].map(|(ms, b)| (at(ms), live(b)));
        assert_eq!(sum, expected);
    }
}
