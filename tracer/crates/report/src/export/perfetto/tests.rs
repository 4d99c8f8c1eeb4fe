use super::packets::Trace;
use super::*;
use tracer_analysis::summary::{Site, SitePoint};

fn decoded(report: &Report) -> Vec<TracePacket> {
    let mut bytes = Vec::new();
    write(report, &mut bytes).unwrap();
    Trace::decode(bytes.as_slice()).unwrap().packet
}

fn report() -> Report {
    let process = |comm: &str, first_ns| Process {
        pid: 7,
        comm: comm.into(),
        first_ns,
        last_ns: first_ns + 100,
        sites: vec![Site {
            id: 1,
            calls: 1,
            first_ns: first_ns + 10,
            reserved_bytes: 4096,
            timeline: vec![SitePoint {
                t_ns: first_ns + 10,
                reserved_bytes: 4096,
                ..SitePoint::default()
            }],
            ..Site::default()
        }],
        timeline: vec![TimelinePoint {
            t_ns: first_ns,
            virtual_bytes: 4096,
            ..TimelinePoint::default()
        }],
        ..Process::default()
    };
    Report {
        started_monotonic_ns: Some(1_000_000),
        processes: vec![process("sh", 0), process("app", 500)],
        ..Report::default()
    }
}

#[test]
fn every_event_is_on_a_track_that_was_described_before_it() {
    let mut known = std::collections::HashSet::new();
    for packet in decoded(&report()) {
        if let Some(track) = packet.track_descriptor {
            let parent = track.parent_uuid;
            assert!(parent.is_none_or(|parent| known.contains(&parent)));
            assert!(known.insert(track.uuid.unwrap()), "one track twice");
        }
        if let Some(event) = packet.track_event {
            assert!(known.contains(&event.track_uuid.unwrap()));
            assert!(packet.timestamp.unwrap() >= 1_000_000);
        }
    }
}

#[test]
fn what_is_not_known_has_no_track_and_is_no_number() {
    let packets = decoded(&report());
    let names: Vec<String> = packets
        .iter()
        .filter_map(|packet| packet.track_descriptor.as_ref()?.name.clone())
        .collect();
    // Two programs of one process id are told apart.
    let expected = [
        "virtual · sh",
        "of no known kind · sh",
        "traced · sh",
        "call sites, at their first call · sh",
        "virtual · app",
        "of no known kind · app",
        "traced · app",
        "call sites, at their first call · app",
    ];
    assert_eq!(names, expected);
    let site = packets
        .iter()
        .filter_map(|packet| packet.track_event.as_ref())
        .find(|event| event.categories == ["site"]);
    let annotations = &site.unwrap().debug_annotations;
    let touched = annotations
        .iter()
        .find(|annotation| annotation.name.as_deref() == Some("touched"));
    assert_eq!(touched.unwrap().string_value.as_deref(), Some("?"));
    assert_eq!(touched.unwrap().uint_value, None);
}
