//! What the names in a perf map mean.
//!
//! V8 (`src/logging/log.cc`, `LogEventListener` and `ComputeMarker`) writes `TAG:MARKER NAME
//! RESOURCE:LINE:COLUMN`; markers: `~` interpreted, `^` baseline, `+` mid-tier, `*` optimised, and
//! none for code that is not a JavaScript function's. Python (`-X perf`, `Objects/perf_trampoline.c`)
//! writes `py::NAME:FILE`. All else is taken as it is.

use tracer_ledger::event::{Frame, FrameKind};

/// V8's tags of JavaScript functions.
const TAGS: [&str; 7] = [
    "JS",
    "Function",
    "LazyCompile",
    "Eval",
    "Script",
    "RegExp",
    "Callback",
];

/// A frame as far as its name tells: without module and offset.
#[must_use]
pub fn frame(name: &str) -> Frame {
    javascript(name)
        .or_else(|| python(name))
        .unwrap_or_else(|| Frame {
            function: Some(name.to_owned()),
            kind: if name == "Interpreter" {
                FrameKind::Interpreted
            } else {
                FrameKind::Jit
            },
            ..Frame::default()
        })
}

fn javascript(name: &str) -> Option<Frame> {
    let (tag, rest) = name.split_once(':')?;
    if !TAGS.contains(&tag) {
        return None;
    }
    let marker = rest
        .chars()
        .next()
        .filter(|marker| "~^+*".contains(*marker));
    let kind = if marker == Some('~') {
        FrameKind::Interpreted
    } else {
        FrameKind::Jit
    };
    // Behind the marker of concurrently optimised code comes a prime.
    let text = marker.map_or(rest, |marker| {
        rest[marker.len_utf8()..].trim_start_matches('\'')
    });
    let (place, line) = position(text);
    let (function, file) = if line.is_some() {
        split(place)
    } else {
        (text, None)
    };
    let function = match (function, tag) {
        ("", "RegExp") => return None,
        ("", "Script" | "Eval") => "(top level)",
        ("", _) => "(anonymous)",
        (function, _) => function,
    };
    Some(Frame {
        function: Some(function.to_owned()),
        file: file.map(path),
        line,
        kind,
        ..Frame::default()
    })
}

/// Takes `:LINE:COLUMN`, or `:LINE`, off the end.
fn position(text: &str) -> (&str, Option<u32>) {
    let number = |text: &'_ str| -> Option<(usize, u32)> {
        let (before, number) = text.rsplit_once(':')?;
        let digits = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
        digits.then(|| Some((before.len(), number.parse().ok()?)))?
    };
    let Some((end, last)) = number(text) else {
        return (text, None);
    };
    match number(&text[..end]) {
        Some((end, line)) => (&text[..end], Some(line)),
        None => (&text[..end], Some(last)),
    }
}

/// `NAME RESOURCE`: both may hold spaces, so look for where a resource begins.
fn split(text: &str) -> (&str, Option<&str>) {
    const BEGINNINGS: [&str; 9] = [
        "node:",
        "file://",
        "/",
        "http://",
        "https://",
        "data:",
        "wasm:",
        "evalmachine.",
        "[",
    ];
    let at = text
        .match_indices(' ')
        .map(|(at, _)| at)
        .find(|at| {
            BEGINNINGS
                .iter()
                .any(|begin| text[at + 1..].starts_with(begin))
        })
        .or_else(|| text.rfind(' '));
    match at {
        Some(at) => (
            &text[..at],
            Some(&text[at + 1..]).filter(|file| !file.is_empty()),
        ),
        None => (text, None),
    }
}

/// A file's URL as a path, so that one source has one name.
fn path(resource: &str) -> String {
    let Some(encoded) = resource.strip_prefix("file://") else {
        return resource.to_owned();
    };
    let mut path = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%')
            .then(|| {
                tail.get(..2)
                    .and_then(|digits| std::str::from_utf8(digits).ok())
            })
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .filter(|byte| !byte.is_ascii_control());
        path.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&path).into_owned()
}

fn python(name: &str) -> Option<Frame> {
    let (function, file) = name.strip_prefix("py::")?.split_once(':')?;
    Some(Frame {
        function: Some(function.to_owned()),
        file: Some(file.to_owned()),
        kind: FrameKind::Interpreted,
        ..Frame::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str) -> (String, Option<String>, Option<u32>, FrameKind) {
        let frame = frame(name);
        (frame.function.unwrap(), frame.file, frame.line, frame.kind)
    }

    fn expected(
        function: &str,
        file: &str,
        line: u32,
        kind: FrameKind,
    ) -> (String, Option<String>, Option<u32>, FrameKind) {
        (function.into(), Some(file.into()), Some(line), kind)
    }

    #[test]
    fn an_interpreted_function_of_node_itself() {
        assert_eq!(
            parts("JS:~lazyllhttp node:internal/deps/undici/undici:5935:30"),
            expected(
                "lazyllhttp",
                "node:internal/deps/undici/undici",
                5935,
                FrameKind::Interpreted
            )
        );
    }

    #[test]
    fn a_module_given_by_url_is_named_by_its_path() {
        assert_eq!(
            parts("JS:*lazyllhttp file:///app/node_modules/a%20b/client-h1.js:68:21"),
            expected(
                "lazyllhttp",
                "/app/node_modules/a b/client-h1.js",
                68,
                FrameKind::Jit
            )
        );
    }

    #[test]
    fn tiers_and_odd_names() {
        let file = "/a/b c.js";
        let jit = FrameKind::Jit;
        assert_eq!(parts("JS:^f /a/b c.js:1:2"), expected("f", file, 1, jit));
        assert_eq!(parts("JS:+f /a/b c.js:1:2"), expected("f", file, 1, jit));
        assert_eq!(parts("JS:*'f /a/b c.js:1:2"), expected("f", file, 1, jit));
        assert_eq!(
            parts("JS:~get size /a/b c.js:1:2"),
            expected("get size", file, 1, FrameKind::Interpreted)
        );
        assert_eq!(
            parts("JS:~ /a/b c.js:1:2"),
            expected("(anonymous)", file, 1, FrameKind::Interpreted)
        );
        assert_eq!(
            parts("Script:~ /a/b c.js:1:1"),
            expected("(top level)", file, 1, FrameKind::Interpreted)
        );
        assert_eq!(
            parts("Function:~f bundle.js:3:1"),
            expected("f", "bundle.js", 3, FrameKind::Interpreted)
        );
    }

    #[test]
    fn what_is_not_javascript_keeps_its_name() {
        for name in [
            "Builtin:ArrayMap",
            "BytecodeHandler:LdaZero",
            "Lcom/Foo;::bar",
            "a:b:c",
        ] {
            assert_eq!(parts(name), (name.into(), None, None, FrameKind::Jit));
        }
        assert_eq!(parts("Interpreter").3, FrameKind::Interpreted);
        assert_eq!(parts("JS:~f").0, "f");
    }

    #[test]
    fn a_python_function() {
        assert_eq!(
            parts("py::C.f.<locals>.g:/app/x.py"),
            (
                "C.f.<locals>.g".into(),
                Some("/app/x.py".into()),
                None,
                FrameKind::Interpreted
            )
        );
    }
}
