//! Why the answer is what it is, in short sentences.

use super::Judged;
use crate::model::summary::Level;
use crate::verdict::facts::{Facts, WORTH_TELLING};
use crate::verdict::kinds;
use crate::verdict::sentences;
use crate::verdict::suspects::{SiteFacts, Sum};
use crate::verdict::victim;
use crate::words::units::{bytes, count, duration};

/// The sentences.
pub fn because(facts: &Facts<'_>, judged: &Judged<'_>) -> Vec<String> {
    let mut all = Vec::new();
    if judged.splits.is_some() {
        all.extend(victim::made_by(facts));
    } else {
        all.extend(victim::most_used(facts));
    }
    if judged.level == Level::Leak {
        all.extend(victim::what_followed(facts));
    }
    if facts.condensed {
        return all;
    }
    let growing = [judged.leaking, judged.watched];
    if let Some(sites) = growing.into_iter().find(|sites| !sites.is_empty()) {
        all.push(steady(facts, sites));
        all.extend(freed(facts));
    } else {
        all.extend(sentences::as_it_stood(facts).map(|text| trimmed(&text)));
        if judged.splits.is_none() {
            all.extend(at_rest(facts, judged));
        }
    }
    all.extend(victim::because(facts));
    let total = facts.sites.iter().filter(|one| one.grown());
    let total = total.map(|one| one.site.reserved_bytes).sum();
    let is_named = kinds::common(judged.subject.iter().map(|one| one.site)).is_some();
    if judged.leaking.is_empty() && !is_named && total >= WORTH_TELLING {
        all.extend(kinds::sentence(judged.kinds, total));
    }
    all
}

/// Without the colon that joins it to what follows.
fn trimmed(text: &str) -> String {
    format!("{}.", text.trim_end().trim_end_matches(':'))
}

/// `30 of 30 reservations alive, reserved within 20 s, idle for the last 4.0 s.`
fn steady(facts: &Facts<'_>, sites: &[&SiteFacts<'_>]) -> String {
    let sum = Sum::of(sites.iter().copied());
    let calls: u64 = sites.iter().map(|one| one.site.calls).sum();
    let mut text = format!(
        "{} of {} reservations alive",
        count(sum.live),
        count(calls.max(sum.live))
    );
    if sum.last > sum.first {
        let time = duration(sum.last - sum.first);
        text.push_str(&format!(", reserved within {time}"));
    }
    match sum.charged {
        0 => text.push_str(", nothing charged against the commit limit"),
        charged if charged < sum.reserved => {
            text.push_str(&format!(
                ", {} charged against the commit limit",
                bytes(charged)
            ));
        }
        _ => {}
    }
    if let Some(since) = sum.idle_since {
        let idle = duration(facts.end.saturating_sub(since));
        text.push_str(&format!(", idle for the last {idle}"));
    }
    text + "."
}

/// What its end gave back does not count: while it worked nothing was.
fn freed(facts: &Facts<'_>) -> Option<String> {
    let freed = facts.freed.as_ref()?;
    (freed.bytes >= WORTH_TELLING).then(|| {
        let (size, took) = (bytes(freed.bytes), duration(freed.took));
        format!(
            "It freed {size} in its last {took} ({}): while it worked it kept them.",
            freed.by
        )
    })
}

fn at_rest(facts: &Facts<'_>, judged: &Judged<'_>) -> Option<String> {
    let sites = judged.subject;
    if judged.before.is_some() || sites.is_empty() || judged.level == Level::Refused {
        return None;
    }
    let sum = Sum::of(sites.iter().copied());
    let mut parts = Vec::new();
    if sum.is_address_space_only() {
        let touched = sum
            .touched
            .map(|touched| format!("{} of it touched", bytes(touched)));
        parts.extend(touched);
        parts.push("nothing charged against the commit limit".to_owned());
    }
    let life = facts.lifetime();
    let quiet = facts.end.saturating_sub(sum.rose);
    if sum.is_address_space_only() && !sum.growing && life >= 1_000_000_000 {
        let (quiet, life) = (duration(quiet), duration(life));
        parts.push(format!("not grown for the last {quiet} of {life}"));
    }
    (!parts.is_empty()).then(|| parts.join(", ") + ".")
}
