use super::{Observation, Patterns, Settled};
use crate::model::summary::Level;
use tracer_ledger::event::Frame;
use tracer_ledger::ledger::change::Origin;

const MINIMAL: &str = r#"
[[pattern]]
id = "cache"
name = "cache"
level = "benign"
growing = "watch"
meaning = "a cache"
source = "this test"

[[pattern.knob]]
runtime = "node v22.*"
set = "A=1"
effect = "half"

[[pattern.when]]
confidence = 0.5
frames = ["cache::grow"]
"#;

fn patterns(text: &str) -> Patterns {
    let mut patterns = Patterns::default();
    patterns.add(text).unwrap();
    patterns
}

fn frames(names: &[&str]) -> Vec<Frame> {
    let frame = |name: &&str| Frame {
        function: Some((*name).into()),
        module: Some("/srv/server".into()),
        ..Frame::default()
    };
    names.iter().map(frame).collect()
}

#[test]
fn a_mistake_names_its_line_and_what_to_do() {
    let with = |from: &str, to: &str| {
        let text = MINIMAL.replacen(from, to, 1);
        assert_ne!(text, MINIMAL);
        Patterns::default().add(&text).unwrap_err()
    };
    for (from, to, line, words) in [
        (
            "level = \"benign\"",
            "level = \"fine\"",
            5,
            "unknown variant `fine`, expected one of `benign`",
        ),
        (
            "frames =",
            "frame =",
            17,
            "unknown field `frame`, expected one of",
        ),
        ("name = \"cache\"\n", "", 2, "missing field `name`"),
        ("id = \"cache\"", "id = \"Cache\"", 3, "small letters"),
        ("confidence = 0.5", "confidence = 2.0", 16, "at most 1"),
        (
            "frames = [\"cache::grow\"]",
            "requested = [\"1GiB\"]",
            15,
            "add frames",
        ),
        (
            "confidence = 0.5",
            "confidence = 0.5\nsettled = [\"big\"]",
            17,
            "`big` is no size",
        ),
        (
            "confidence = 0.5",
            "confidence = 0.5\naligned = \"3\"",
            17,
            "no power of two",
        ),
        ("id = \"cache\"", "id = ", 3, ""),
        (
            "[[pattern.knob]]",
            "[pattern.row]\nname = \"caches\"\nfunctions = [\"a|\"]\n\n[[pattern.knob]]",
            12,
            "`functions` has an empty",
        ),
    ] {
        let mistake = with(from, to);
        assert_eq!(mistake.line, line, "{mistake}");
        assert!(
            mistake.what.contains(words),
            "{words:?} is not in {mistake}"
        );
        assert_eq!(mistake.to_string().lines().count(), 1, "{mistake}");
    }
    let none = MINIMAL.split("[[pattern.knob]]").next().unwrap();
    let mistake = Patterns::default()
        .add(&format!("{none}when = []"))
        .unwrap_err();
    assert!(mistake.what.contains("no [[pattern.when]]"), "{mistake}");
    let twice = format!("{MINIMAL}{MINIMAL}");
    let mistake = Patterns::default().add(&twice).unwrap_err();
    assert!(mistake.what.contains("there already"), "{mistake}");
}

#[test]
fn a_condition_that_can_never_hold_is_a_mistake_of_its_pattern_and_key() {
    let frames = "frames = [\"cache::grow\"]";
    for (from, to, words) in [
        (frames, "frames = [\"a||b\"]", "`frames` has an empty"),
        (frames, "frames = [\"\"]", "`frames` has an empty"),
        (frames, "caller = \"libc|\"", "`caller` has an empty"),
        (
            "runtime = \"node v22.*\"",
            "runtime = \"a|\"",
            "`runtime` has an empty",
        ),
        (
            "runtime = \"node v22.*\"",
            "runtime = \"node *\"\nversion = [\"22\", \"new\"]",
            "`version`: `new` asks for no version",
        ),
        (
            frames,
            "caller = \"a\"\nflags = [\"MAP_SHARED\"]",
            "`flags` has `MAP_SHARED`, which is no flag: write one of SHARED, PRIVATE",
        ),
        (
            frames,
            "caller = \"a\"\nwithout_flags = [\"NO_RESERVE\"]",
            "`without_flags` has `NO_RESERVE`",
        ),
        (
            frames,
            "caller = \"a\"\nprotection = \"rwp\"",
            "`protection` has `rwp`: write it as in maps",
        ),
        (
            frames,
            "caller = \"a\"\nsettled = [\"big\"]",
            "`settled`: `big` is no size",
        ),
    ] {
        let text = MINIMAL.replacen(from, to, 1);
        assert_ne!(text, MINIMAL);
        let mistake = Patterns::default().add(&text).unwrap_err();
        assert!(mistake.what.starts_with("`cache`: "), "{mistake}");
        assert!(
            mistake.what.contains(words),
            "{words:?} is not in {mistake}"
        );
        assert!(mistake.line >= 10, "{mistake}");
    }
    for right in ["rw-", "---|r--", "rw*", "r-x"] {
        let to = format!("{frames}\nprotection = \"{right}\"");
        assert_eq!(
            Patterns::default().add(&MINIMAL.replace(frames, &to)),
            Ok(())
        );
    }
}

#[test]
fn a_later_text_replaces_a_pattern_by_its_id() {
    let mut patterns = patterns(MINIMAL);
    patterns.add(&MINIMAL.replace("benign", "leak")).unwrap();
    assert_eq!(patterns.ids().collect::<Vec<_>>(), ["cache"]);
    let frames = frames(&["mmap", "cache::grow(int)"]);
    let seen = Observation {
        frames: &frames,
        ..Observation::default()
    };
    assert_eq!(patterns.recognise(&seen).unwrap().level, Level::Leak);
}

#[test]
fn a_knob_is_told_only_for_its_runtime_and_what_grows_has_a_level_of_its_own() {
    let patterns = patterns(MINIMAL);
    let frames = frames(&["mmap", "cache::grow(int)"]);
    let seen = Observation {
        frames: &frames,
        runtime: Some("node v22.1.0"),
        growing: true,
        ..Observation::default()
    };
    let found = patterns.recognise(&seen).unwrap();
    assert_eq!(
        (found.level, found.knob.as_deref()),
        (Level::Watch, Some("A=1"))
    );
    let other = Observation {
        runtime: Some("node v24.0.0"),
        growing: false,
        ..seen
    };
    let found = patterns.recognise(&other).unwrap();
    assert_eq!((found.level, found.knob), (Level::Benign, None));
}

#[test]
fn address_space_that_is_mostly_touched_is_not_benign_unless_the_pattern_says_so() {
    let frames = frames(&["mmap", "cache::grow(int)"]);
    let seen = Observation {
        frames: &frames,
        mostly_touched: true,
        ..Observation::default()
    };
    let level = |text: &str| patterns(text).recognise(&seen).unwrap().level;
    assert_eq!(level(MINIMAL), Level::Unknown);
    let said = MINIMAL.replace("growing = \"watch\"", "touched = \"benign\"");
    assert_eq!(level(&said), Level::Benign);
    let worse = MINIMAL.replace("level = \"benign\"", "level = \"watch\"");
    assert_eq!(level(&worse), Level::Watch);
}

#[test]
fn of_equally_sure_patterns_the_one_nearest_to_the_kernel_is_taken() {
    let outer = MINIMAL.replace("\"cache\"", "\"outer\"");
    let outer = outer.replace("cache::grow", "outer::load");
    for texts in [[MINIMAL, outer.as_str()], [outer.as_str(), MINIMAL]] {
        let patterns = patterns(&texts.concat());
        let frames = frames(&["mmap", "cache::grow", "outer::load"]);
        let seen = Observation {
            frames: &frames,
            ..Observation::default()
        };
        assert_eq!(patterns.recognise(&seen).unwrap().id, "cache");
    }
}

#[test]
fn a_condition_on_what_is_not_known_does_not_hold() {
    let frames = frames(&["mmap", "cache::grow"]);
    let one = Settled {
        start: 1 << 26,
        reserved: 1 << 26,
        accessible: 4096,
        accessible_at: Some(0),
        flags: 0x4022,
        name: "/srv/data",
        ..Settled::default()
    };
    let known = Observation {
        frames: &frames,
        origin: Some(Origin::Map),
        requested: Some((1 << 27, 1 << 27)),
        settled: vec![one, one],
        threads: vec!["worker-1"],
        runtime: Some("node v22.1.0"),
        exe: "/usr/bin/node",
        growing: false,
        mostly_touched: false,
    };
    let nothing = Observation {
        frames: &frames,
        ..Observation::default()
    };
    for condition in [
        "call = \"mmap\"",
        "requested = [\"128MiB\"]",
        "settled = [\"64MiB\"]",
        "aligned = \"64MiB\"",
        "accessible = [\"4KiB\"]",
        "accessible_at = [\"0\"]",
        "protection = \"---\"",
        "flags = [\"NORESERVE\"]",
        "without_flags = [\"STACK\"]",
        "name = \"/srv/*\"",
        "thread = \"worker-*\"",
        "runtime = \"node *\"",
        "program = \"node\"",
    ] {
        let patterns = patterns(&MINIMAL.replace(
            "confidence = 0.5",
            &format!("confidence = 0.5\n{condition}"),
        ));
        assert!(patterns.recognise(&known).is_some(), "{condition}");
        assert!(patterns.recognise(&nothing).is_none(), "{condition}");
        // One of its reservations that is not so is enough to doubt.
        if !known.settled.is_empty() && condition.starts_with("settled") {
            let mixed = Observation {
                settled: vec![one, Settled { reserved: 1, ..one }],
                ..known.clone()
            };
            assert!(patterns.recognise(&mixed).is_none());
        }
    }
}
