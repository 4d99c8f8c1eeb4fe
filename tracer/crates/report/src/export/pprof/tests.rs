use std::io::Read as _;

use flate2::read::GzDecoder;

use super::*;
use tracer_analysis::summary::{Process, Site};
use tracer_ledger::event::Frame;

fn decoded(report: &Report) -> Profile {
    let mut zipped = Vec::new();
    write(report, &mut zipped).unwrap();
    let mut bytes = Vec::new();
    GzDecoder::new(zipped.as_slice())
        .read_to_end(&mut bytes)
        .unwrap();
    Profile::decode(bytes.as_slice()).unwrap()
}

fn frame(function: &str, line: u32, inlined: bool) -> Frame {
    Frame {
        function: Some(function.into()),
        module: Some("/bin/app".into()),
        file: Some("app.c".into()),
        offset: 0x1234,
        line: Some(line),
        inlined,
        ..Frame::default()
    }
}

fn report() -> Report {
    let site = |id, frames: Vec<Frame>, resident_bytes| Site {
        id,
        frames,
        calls: 2,
        reserved_bytes: 4096,
        resident_bytes,
        ..Site::default()
    };
    let stack = vec![
        frame("inner", 1, true),
        frame("middle", 2, true),
        frame("outer", 3, false),
    ];
    Report {
        started_at: "1970-01-01T00:00:01.500Z".into(),
        duration_ns: 7,
        processes: vec![Process {
            pid: 7,
            comm: "app".into(),
            sites: vec![site(1, stack, Some(1)), site(2, vec![], None)],
            ..Process::default()
        }],
        ..Report::default()
    }
}

fn text(profile: &Profile, place: i64) -> &str {
    &profile.string_table[usize::try_from(place).unwrap()]
}

#[test]
fn functions_that_were_inlined_share_the_location_of_the_function_around_them() {
    let profile = decoded(&report());
    let sample = &profile.sample[0];
    let location = &profile.location[usize::try_from(sample.location_id[0]).unwrap() - 1];
    let lines: Vec<(&str, i64)> = location
        .line
        .iter()
        .map(|line| {
            let function = &profile.function[usize::try_from(line.function_id).unwrap() - 1];
            (text(&profile, function.name), line.line)
        })
        .collect();
    assert_eq!(lines, [("inner", 1), ("middle", 2), ("outer", 3)]);
    assert_eq!(location.address, 0x1234);
    let mapping = &profile.mapping[usize::try_from(location.mapping_id).unwrap() - 1];
    assert_eq!(text(&profile, mapping.filename), "/bin/app");
    assert!(mapping.memory_start <= 0x1234 && 0x1234 < mapping.memory_limit);
}

#[test]
fn what_is_known_of_no_site_is_left_out_and_what_is_not_known_of_one_is_labelled() {
    let profile = decoded(&report());
    let types: Vec<&str> = profile
        .sample_type
        .iter()
        .map(|kind| text(&profile, kind.r#type))
        .collect();
    assert_eq!(types, ["reserved", "accessible", "resident", "calls"]);
    let unknown = |sample: &profile::Sample| {
        let mut labels = sample.label.iter();
        let label = labels.find(|label| text(&profile, label.key) == "unknown");
        label.map(|label| text(&profile, label.str).to_owned())
    };
    assert_eq!(unknown(&profile.sample[0]), None);
    assert_eq!(unknown(&profile.sample[1]).as_deref(), Some("resident"));
    let mut comments = profile.comment.iter().map(|&place| text(&profile, place));
    assert!(comments.any(|line| line == "touched is unknown, and left out"));
}

#[test]
fn times_are_those_of_the_trace_or_of_the_window() {
    let mut report = report();
    let profile = decoded(&report);
    let times = (profile.time_nanos, profile.duration_nanos);
    assert_eq!(times, (1_500_000_000, 7));
    report.window = Some(tracer_analysis::window::Window {
        from_ns: 2,
        to_ns: u64::MAX,
    });
    let profile = decoded(&report);
    let times = (profile.time_nanos, profile.duration_nanos);
    assert_eq!(times, (1_500_000_002, 5));
}

#[test]
fn a_report_of_nothing_is_a_profile_of_nothing() {
    let profile = decoded(&Report::default());
    assert_eq!(profile.sample, []);
    assert_eq!(profile.string_table[0], "");
}

#[test]
fn a_module_has_its_build_id_unless_its_path_was_two_files() {
    let mut report = report();
    let module = |id: &str| tracer_ledger::event::Module {
        path: "/bin/app".into(),
        build_id: Some(id.into()),
    };
    let of = |report: &Report| {
        let profile = decoded(report);
        text(&profile, profile.mapping[0].build_id).to_owned()
    };
    assert_eq!(of(&report), "");
    report.modules = vec![module("c0ffee")];
    assert_eq!(of(&report), "c0ffee");
    report.modules.push(module("c0ffee"));
    assert_eq!(of(&report), "c0ffee");
    report.modules.push(module("beef"));
    assert_eq!(of(&report), "");
}
