//! What was where, and when.

use super::*;

const EARLY: Written = Written {
    after: Nanoseconds(0),
    by: Nanoseconds(1),
};
const NOW: Nanoseconds = Nanoseconds(1000);

fn now(names: &CodeNames, address: u64) -> Option<&str> {
    match names.find(address, NOW) {
        NameAt::Name(name) => Some(name),
        NameAt::Nothing => None,
        NameAt::Unclear => Some("unclear"),
    }
}

fn names(lines: &[&str]) -> CodeNames {
    let mut names = CodeNames::default();
    for line in lines {
        names.add_line(line.as_bytes(), EARLY);
    }
    names
}

#[test]
fn a_name_with_spaces_is_found_by_any_address_of_its_range() {
    let names = names(&["7f10 20 JS:~get foo file:///a b.js:1:2"]);
    assert_eq!(now(&names, 0x7f10), Some("JS:~get foo file:///a b.js:1:2"));
    assert_eq!(now(&names, 0x7f2f), Some("JS:~get foo file:///a b.js:1:2"));
    assert_eq!((now(&names, 0x7f30), now(&names, 0x7f0f)), (None, None));
}

#[test]
fn numbers_may_carry_0x() {
    let names = names(&["0x7f10 0x20 Interpreter"]);
    assert_eq!(now(&names, 0x7f11), Some("Interpreter"));
}

#[test]
fn a_bad_line_is_skipped_and_counted_and_the_next_one_read() {
    let names = names(&[
        "nonsense",
        "7f10",
        "7f10 20",
        "7f10 20 ",
        "7f10 0 empty",
        "-1 20 sign",
        "+1 20 sign",
        "ffffffffffffffff 2 wraps",
        "11111111111111111 2 too long a number",
        "7f10 20 good",
    ]);
    assert_eq!(now(&names, 0x7f10), Some("good"));
    assert_eq!(names.skipped(), 9);
}

#[test]
fn later_code_replaces_what_it_lies_on_and_leaves_the_rest() {
    let names = names(&["100 100 a", "200 100 b", "180 100 c", "1c0 10 d"]);
    assert_eq!(
        (now(&names, 0x100), now(&names, 0x17f)),
        (Some("a"), Some("a"))
    );
    assert_eq!(
        (now(&names, 0x180), now(&names, 0x1bf)),
        (Some("c"), Some("c"))
    );
    assert_eq!(
        (now(&names, 0x1c0), now(&names, 0x1d0)),
        (Some("d"), Some("c"))
    );
    assert_eq!(
        (now(&names, 0x27f), now(&names, 0x280)),
        (Some("c"), Some("b"))
    );
    assert_eq!((now(&names, 0x2ff), now(&names, 0x300)), (Some("b"), None));
}

#[test]
fn control_characters_and_foreign_bytes_do_not_reach_a_terminal() {
    let mut names = CodeNames::default();
    names.add_line(b"10 10 a\x1b[2Jb\xff", EARLY);
    assert_eq!(now(&names, 0x10), Some("a\u{fffd}[2Jb\u{fffd}"));
}

/// CodeNames of one address by lines that were written in these spans, and what it was called at a time.
fn at<'a>(lines: &[(u64, u64, &'static str)], time: u64, names: &'a mut CodeNames) -> NameAt<'a> {
    for &(after, by, name) in lines {
        let written = Written {
            after: Nanoseconds(after),
            by: Nanoseconds(by),
        };
        names.add_line(format!("10 10 {name}").as_bytes(), written);
    }
    names.find(0x10, Nanoseconds(time))
}

#[test]
fn a_stack_gets_the_name_that_was_valid_when_it_was_taken() {
    let lines = [(0, 10, "old"), (20, 30, "new")];
    for (time, expected) in [
        (10, NameAt::Name("old")),
        (20, NameAt::Name("old")),
        (21, NameAt::Unclear),
        (29, NameAt::Unclear),
        (30, NameAt::Name("new")),
        (99, NameAt::Name("new")),
    ] {
        assert_eq!(
            at(&lines, time, &mut CodeNames::default()),
            expected,
            "{time}"
        );
    }
}

#[test]
fn code_that_is_told_of_late_names_what_was_taken_before() {
    let lines = [(20, 30, "first"), (40, 50, "second")];
    for (time, expected) in [
        (10, NameAt::Name("first")),
        (25, NameAt::Name("first")),
        (35, NameAt::Name("first")),
        (45, NameAt::Unclear),
    ] {
        assert_eq!(
            at(&lines, time, &mut CodeNames::default()),
            expected,
            "{time}"
        );
    }
}

#[test]
fn two_codes_of_which_either_may_have_been_met_name_nothing() {
    let lines = [(20, 30, "one"), (20, 30, "other")];
    assert_eq!(at(&lines, 25, &mut CodeNames::default()), NameAt::Unclear);
    assert_eq!(
        at(&lines, 30, &mut CodeNames::default()),
        NameAt::Name("other")
    );
    let same = [(0, 10, "one"), (20, 30, "one")];
    assert_eq!(
        at(&same, 25, &mut CodeNames::default()),
        NameAt::Name("one")
    );
}

#[test]
fn what_is_no_longer_kept_is_unclear() {
    let mut names = CodeNames::default();
    for time in 0..20 {
        let line = [(10 * time, 10 * time + 5, ["a", "b"][time as usize % 2])];
        at(&line, 0, &mut names);
    }
    assert_eq!(names.find(0x10, Nanoseconds(9)), NameAt::Unclear);
    assert_eq!(names.find(0x10, Nanoseconds(199)), NameAt::Name("b"));
}

#[test]
fn what_got_another_name_is_told_once() {
    let mut names = names(&["100 100 a", "200 100 b"]);
    assert_eq!(names.take_replaced().len(), 0);
    names.add_line(b"180 100 b", EARLY);
    assert_eq!(
        names.take_replaced().as_slice(),
        std::slice::from_ref(&(0x180..0x200))
    );
    assert_eq!(names.take_replaced().len(), 0);
}
