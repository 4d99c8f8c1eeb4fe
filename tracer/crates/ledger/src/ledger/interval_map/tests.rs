use proptest::prelude::*;

use super::*;

/// 10..20 = 'a', 30..40 = 'b'.
fn two() -> IntervalMap<char> {
    let mut map = IntervalMap::default();
    map.insert(10..20, 'a');
    map.insert(30..40, 'b');
    map
}

fn pieces(map: &IntervalMap<char>) -> Vec<(u64, u64, char)> {
    map.iter()
        .map(|(range, value)| (range.start, range.end, *value))
        .collect()
}

#[track_caller]
fn check_remove(range: Range<u64>, removed: &[(u64, u64, char)], left: &[(u64, u64, char)]) {
    let mut map = two();
    let got: Vec<_> = map
        .remove(range)
        .into_iter()
        .map(|(range, value)| (range.start, range.end, value))
        .collect();
    assert_eq!(got, removed);
    assert_eq!(pieces(&map), left);
}

#[test]
fn removing_a_gap_removes_nothing() {
    check_remove(20..30, &[], &[(10, 20, 'a'), (30, 40, 'b')]);
}

#[test]
fn removing_an_empty_range_inside_a_piece_does_not_split_it() {
    check_remove(15..15, &[], &[(10, 20, 'a'), (30, 40, 'b')]);
}

#[test]
fn removing_exactly_a_piece_leaves_the_other() {
    check_remove(10..20, &[(10, 20, 'a')], &[(30, 40, 'b')]);
}

#[test]
fn removing_the_head_of_a_piece_leaves_its_tail() {
    check_remove(5..13, &[(10, 13, 'a')], &[(13, 20, 'a'), (30, 40, 'b')]);
}

#[test]
fn removing_the_tail_of_a_piece_leaves_its_head() {
    check_remove(17..25, &[(17, 20, 'a')], &[(10, 17, 'a'), (30, 40, 'b')]);
}

#[test]
fn removing_the_middle_of_a_piece_leaves_two_pieces_of_one_value() {
    check_remove(
        13..17,
        &[(13, 17, 'a')],
        &[(10, 13, 'a'), (17, 20, 'a'), (30, 40, 'b')],
    );
}

#[test]
fn removing_across_a_gap_takes_from_both_sides() {
    check_remove(
        15..35,
        &[(15, 20, 'a'), (30, 35, 'b')],
        &[(10, 15, 'a'), (35, 40, 'b')],
    );
}

#[test]
fn removing_more_than_all_leaves_nothing() {
    check_remove(0..u64::MAX, &[(10, 20, 'a'), (30, 40, 'b')], &[]);
}

#[test]
fn inserting_an_equal_neighbour_makes_one_piece() {
    let mut map = two();
    assert!(map.insert(20..30, 'a').is_empty());
    assert_eq!(pieces(&map), [(10, 30, 'a'), (30, 40, 'b')]);
}

#[test]
fn inserting_between_two_equal_pieces_makes_one_piece_of_three() {
    let mut map = two();
    map.insert(30..40, 'a');
    map.insert(20..30, 'a');
    assert_eq!(pieces(&map), [(10, 40, 'a')]);
}

#[test]
fn inserting_another_value_in_the_middle_splits_and_returns_what_it_covered() {
    let mut map = two();
    assert_eq!(map.insert(13..17, 'c'), [(13..17, 'a')]);
    assert_eq!(
        pieces(&map),
        [(10, 13, 'a'), (13, 17, 'c'), (17, 20, 'a'), (30, 40, 'b')]
    );
}

#[test]
fn inserting_the_same_value_in_the_middle_changes_nothing() {
    let mut map = two();
    map.insert(13..17, 'a');
    assert_eq!(pieces(&map), [(10, 20, 'a'), (30, 40, 'b')]);
}

#[test]
fn an_update_leaves_gaps_alone_and_joins_what_became_equal() {
    let mut map = two();
    map.insert(20..25, 'c');
    assert_eq!(
        map.update(18..35, |_| 'a'),
        [(18..20, 'a'), (20..25, 'c'), (30..35, 'b')]
    );
    assert_eq!(pieces(&map), [(10, 25, 'a'), (30, 35, 'a'), (35, 40, 'b')]);
}

#[test]
fn gaps_are_what_no_piece_covers() {
    let map = two();
    assert_eq!(map.gaps(0..50), [0..10, 20..30, 40..50]);
    assert_eq!(map.gaps(12..18), []);
    assert_eq!(map.gaps(15..45), [20..30, 40..45]);
    assert_eq!(map.gaps(25..25), []);
}

#[test]
fn neighbours_are_found_by_where_they_begin() {
    let map = two();
    assert_eq!(map.next_after(9), Some((10..20, &'a')));
    assert_eq!(map.next_after(10), Some((30..40, &'b')));
    assert_eq!(map.next_after(u64::MAX), None);
    assert_eq!(map.last_before(30), Some((10..20, &'a')));
    assert_eq!(map.last_before(10), None);
    assert_eq!(map.get(20), None);
    assert_eq!(map.get(19), Some((10..20, &'a')));
}

const PAGES: usize = 40;

#[derive(Clone, Debug)]
enum Step {
    Insert(u64, u64, u8),
    Remove(u64, u64),
    Update(u64, u64, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let range = || (0..PAGES as u64, 0..PAGES as u64).prop_map(|(a, b)| (a.min(b), a.max(b)));
    prop_oneof![
        (range(), 0..3u8).prop_map(|((a, b), v)| Step::Insert(a, b, v)),
        range().prop_map(|(a, b)| Step::Remove(a, b)),
        (range(), 1..3u8).prop_map(|((a, b), v)| Step::Update(a, b, v)),
    ]
}

/// The array's content of `a..b` as pieces that are not made one across values.
fn runs(array: &[Option<u8>], a: u64, b: u64) -> Vec<(Range<u64>, u8)> {
    let mut runs: Vec<(Range<u64>, u8)> = Vec::new();
    for at in a..b {
        let Some(value) = array[at as usize] else {
            continue;
        };
        match runs.last_mut() {
            Some((range, last)) if range.end == at && *last == value => range.end = at + 1,
            _ => runs.push((at..at + 1, value)),
        }
    }
    runs
}

proptest! {
    #[test]
    fn the_map_is_a_page_array(steps in proptest::collection::vec(step(), 1..60)) {
        let mut map = IntervalMap::default();
        let mut array = [None; PAGES];
        for step in steps {
            let (a, b) = match step {
                Step::Insert(a, b, _) | Step::Remove(a, b) | Step::Update(a, b, _) => (a, b),
            };
            let expected = runs(&array, a, b);
            let returned = match step {
                Step::Insert(_, _, value) => {
                    array[a as usize..b as usize].fill(Some(value));
                    map.insert(a..b, value)
                }
                Step::Remove(..) => {
                    array[a as usize..b as usize].fill(None);
                    map.remove(a..b)
                }
                Step::Update(_, _, add) => {
                    for value in array[a as usize..b as usize].iter_mut().flatten() {
                        *value = (*value + add) % 3;
                    }
                    map.update(a..b, |value| (value + add) % 3)
                }
            };
            prop_assert_eq!(returned, expected);
            let all: Vec<_> = map.iter().map(|(range, value)| (range, *value)).collect();
            prop_assert_eq!(all, runs(&array, 0, PAGES as u64));
            let within: Vec<_> = map.overlapping(a..b).map(|(r, v)| (r, *v)).collect();
            prop_assert_eq!(within, runs(&array, a, b));
            let gaps: u64 = map.gaps(a..b).iter().map(|gap| gap.end - gap.start).sum();
            let free = array[a as usize..b as usize].iter().filter(|v| v.is_none()).count();
            prop_assert_eq!(gaps, free as u64);
            for at in 0..PAGES as u64 {
                prop_assert_eq!(map.get(at).map(|(_, v)| *v), array[at as usize]);
            }
        }
    }
}
