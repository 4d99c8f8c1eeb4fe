//! A pprof profile, gzipped, for `go tool pprof` and everything that reads its format
//! (<https://github.com/google/pprof/blob/main/proto/README.md>): a sample a call site, with every figure at once.

mod places;
mod profile;

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::UNIX_EPOCH;

use flate2::{Compression, write::GzEncoder};
use prost::Message as _;

use super::samples::{Sample, Step, Value, add_up, samples, subject};
use places::{Places, as_i64};
use profile::{Label, Profile, ValueType};
use tracer_analysis::summary::Report;
use tracer_analysis::units::counted;

/// In the order of the profile. `grown` is a part of `reserved`: what does not stand under `there at its start`.
const VALUES: [Value; 5] = [
    Value::Reserved,
    Value::Accessible,
    Value::Touched,
    Value::Resident,
    Value::Calls,
];

/// Writes every figure of every stack. A figure that is known of no site is no part of the profile; of how
/// many sites another is not known stands in its comments, and with the label `unknown` at each.
///
/// # Errors
/// Those of `out`; the figures are more than can be added up.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let profile = profile(report)?;
    let mut out = GzEncoder::new(out, Compression::default());
    out.write_all(&profile.encode_to_vec())?;
    out.finish()?;
    Ok(())
}

fn profile(report: &Report) -> io::Result<Profile> {
    let values: Vec<Value> = VALUES
        .into_iter()
        .filter(|value| {
            let mut sites = samples(report).peekable();
            sites.peek().is_none() || sites.any(|sample| value.of(sample.site).is_some())
        })
        .collect();
    for value in &values {
        add_up(samples(report).filter_map(|sample| value.of(sample.site)))?;
    }
    let mut places = Places::new(build_ids(report));
    // pprof calls the profile by its first mapping.
    let exe = subject(report).map_or("", |process| &process.exe);
    if !exe.is_empty() {
        places.module(exe, 0);
    }
    let sample_type = values.iter().map(|value| ValueType {
        r#type: places.text(value.word()),
        unit: places.text(match value {
            Value::Calls => "count",
            _ => "bytes",
        }),
    });
    let sample_type = sample_type.collect();
    let sample = samples(report)
        .filter(|sample| {
            let mut values = values.iter();
            values.any(|value| value.of(sample.site).is_some_and(|figure| figure > 0))
        })
        .map(|sample| sampled(sample, &values, &mut places))
        .collect();
    let comment = comments(report, &values)
        .iter()
        .map(|line| places.text(line))
        .collect();
    let default_sample_type = places.text(Value::Reserved.word());
    let (from, to) = report.window.map_or((0, report.duration_ns), |window| {
        (window.from_ns, window.to_ns.min(report.duration_ns))
    });
    Ok(Profile {
        sample_type,
        sample,
        comment,
        default_sample_type,
        time_nanos: as_i64(epoch_ns(&report.started_at).saturating_add(from)),
        duration_nanos: as_i64(to.saturating_sub(from)),
        ..places.finish()
    })
}

/// Build ids of modules by their paths, in hex; none of a path that had several files.
fn build_ids(report: &Report) -> HashMap<&str, &str> {
    let mut found: HashMap<&str, Option<&str>> = HashMap::new();
    for module in &report.modules {
        let own = module.build_id.as_deref();
        found
            .entry(&module.path)
            .and_modify(|known| *known = known.filter(|id| Some(*id) == own))
            .or_insert(own);
    }
    let known = found.into_iter();
    known.filter_map(|(path, id)| Some((path, id?))).collect()
}

fn sampled<'a>(sample: Sample<'a>, values: &[Value], places: &mut Places<'a>) -> profile::Sample {
    let Sample { process, site } = sample;
    let mut location_id = places.stack(&site.frames);
    for step in sample.steps().into_iter().rev() {
        if let Step::Said(text) = step {
            location_id.push(places.said(text));
        }
    }
    let mut label = vec![
        number(places, "pid", u64::from(process.pid)),
        word(places, "comm", &process.comm),
        number(places, "site", u64::from(site.id)),
    ];
    if let Some(pattern) = &site.pattern {
        label.push(word(places, "pattern", &pattern.id));
    }
    for name in &site.thread_names {
        label.push(word(places, "thread", name));
    }
    let mut value = Vec::with_capacity(values.len());
    for kind in values {
        let figure = kind.of(site);
        if figure.is_none() {
            label.push(word(places, "unknown", kind.word()));
        }
        value.push(as_i64(figure.unwrap_or(0)));
    }
    profile::Sample {
        location_id,
        value,
        label,
    }
}

fn word(places: &mut Places<'_>, key: &str, text: &str) -> Label {
    Label {
        key: places.text(key),
        str: places.text(text),
        num: 0,
    }
}

fn number(places: &mut Places<'_>, key: &str, number: u64) -> Label {
    Label {
        key: places.text(key),
        str: 0,
        num: as_i64(number),
    }
}

/// What a reader is to know of the figures: `go tool pprof -comments`.
fn comments(report: &Report, values: &[Value]) -> Vec<String> {
    let mut lines = vec![format!("tracer {}", report.tracer_version)];
    // pprof prints them above everything else: of many processes only the one that counts most.
    if let Some(process) = subject(report) {
        lines.push(format!(
            "{} {}: {}: {}",
            process.comm,
            process.pid,
            process.verdict.level.word(),
            process.verdict.headline
        ));
    }
    for value in VALUES {
        let unknown = samples(report).filter(|sample| value.of(sample.site).is_none());
        let unknown = unknown.count() as u64;
        if !values.contains(&value) {
            lines.push(format!("{} is unknown, and left out", value.word()));
        } else if unknown > 0 {
            lines.push(format!(
                "{} is unknown of {}, labelled so: what stands there as 0 was not measured",
                value.word(),
                counted(unknown, "call site", "call sites")
            ));
        }
    }
    let losses = report.losses;
    if losses.total() > 0 {
        let lost = counted(losses.total(), "event was", "events were");
        lines.push(format!("{lost} lost: the figures are what is known"));
    }
    lines
}

/// ns since 1970 of a time in RFC 3339; 0, which readers take for unknown, of anything else.
pub(super) fn epoch_ns(time: &str) -> u64 {
    let time = humantime::parse_rfc3339(time).ok();
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(0))
}

#[cfg(test)]
mod tests;
