use super::{Course, grows_steadily, idle_since, later_growth, may_grow, trend};
use crate::accounts::time::TraceTime;
use crate::model::summary::Trend;
use crate::verdict::work::Work;

const SECOND: u64 = 1_000_000_000;

fn of(points: &[(u64, u64)], released: u64) -> Trend {
    trend(Course {
        points,
        calls: points.len() as u64,
        released,
        first: points[0].0,
        last: points[points.len() - 1].0,
        began: 0,
        end: 60 * SECOND,
        work: None,
    })
}

#[test]
fn steps_until_the_end_are_growing() {
    let points: Vec<_> = (1..60).map(|s| (s * SECOND, s * 10)).collect();
    assert_eq!(of(&points, 0), Trend::Growing);
}

#[test]
fn growth_that_stopped_at_half_time_is_settled() {
    let points: Vec<_> = (1..30).map(|s| (s * SECOND, s * 10)).collect();
    assert_eq!(of(&points, 0), Trend::Settled);
}

#[test]
fn a_burst_is_one_off_however_many_calls() {
    let points: Vec<_> = (1..20).map(|n| (27 * SECOND + n, n)).collect();
    assert_eq!(of(&points, 0), Trend::OneOff);
    assert_eq!(of(&points[..1], 0), Trend::OneOff);
}

#[test]
fn a_burst_just_before_the_end_is_not_yet_growing() {
    let points: Vec<_> = (1..20).map(|n| (59 * SECOND + n * 50_000_000, n)).collect();
    assert_ne!(of(&points, 0), Trend::Growing);
}

#[test]
fn coming_and_going_is_churn_even_until_the_end() {
    let points: Vec<_> = (1..60).map(|s| (s * SECOND, s % 2)).collect();
    assert_eq!(of(&points, 30), Trend::Churn);
}

#[test]
fn a_start_up_that_calms_down_does_not_grow_steadily_and_a_leak_does() {
    let course = |points| Course {
        points,
        calls: 1,
        released: 0,
        first: 0,
        last: 0,
        began: 0,
        end: 60 * SECOND,
        work: None,
    };
    let calming: Vec<_> = (0..60)
        .map(|s| (s * SECOND, 1_000 - 1_000 / (s + 1)))
        .collect();
    let leaking: Vec<_> = (0..60).map(|s| (s * SECOND, s)).collect();
    assert!(!grows_steadily(course(&calming)));
    assert!(grows_steadily(course(&leaking)));
}

#[test]
fn a_leak_under_churn_is_growing() {
    let points: Vec<_> = (1..60).map(|s| (s * SECOND, s * 3 + s % 2)).collect();
    assert_eq!(of(&points, 40), Trend::Growing);
}

/// Up by one a second, and down to nothing every `period` seconds, on top of `level`.
fn sawtooth(period: u64, level: impl Fn(u64) -> u64) -> Vec<(u64, u64)> {
    let points = (1..=60).map(|s| (s * SECOND, level(s) + 1_000 * (1 + s % period)));
    points.collect()
}

#[test]
fn a_sawtooth_whose_peaks_do_not_rise_is_not_growing_wherever_it_ends() {
    for period in 2..=40 {
        for end in 0..period {
            let tooth = |s| 1_000 * (1 + (s + end) % period);
            let points: Vec<_> = (1..=60).map(|s| (s * SECOND, tooth(s))).collect();
            assert_ne!(of(&points, 0), Trend::Growing, "{period} {end}");
            assert_eq!(of(&points, 40), Trend::Churn, "{period} {end}");
        }
    }
}

#[test]
fn a_last_tooth_that_is_higher_than_the_others_does_not_make_it_grow() {
    let mut points = sawtooth(7, |_| 0);
    points[57].1 = 11_000;
    assert_ne!(of(&points, 0), Trend::Growing);
}

#[test]
fn a_sawtooth_on_a_rising_level_is_growing() {
    for period in 2..=10 {
        let points = sawtooth(period, |s| s * 1_000);
        assert_eq!(of(&points, 40), Trend::Growing, "{period}");
    }
}

/// Half a CPU in these seconds of 60, nothing in the others.
fn work(works: impl Fn(u64) -> bool) -> Work {
    let mut used = 0;
    let points = (0..=300).map(|fifth| {
        let now = (TraceTime(fifth * SECOND / 5), used);
        used += if works(fifth / 5) { SECOND / 10 } else { 0 };
        now
    });
    let points: Vec<_> = points.collect();
    Work::of(&points, 0, 60 * SECOND).unwrap()
}

fn by_work<'a>(points: &'a [(u64, u64)], work: &'a Work) -> Course<'a> {
    Course {
        points,
        calls: points.len() as u64,
        released: 0,
        first: points[0].0,
        last: points[points.len() - 1].0,
        began: 0,
        end: 60 * SECOND,
        work: Some(work),
    }
}

#[test]
fn growth_until_the_process_went_idle_is_growing() {
    let points: Vec<_> = (1..20).map(|s| (s * SECOND, s * 10)).collect();
    let (idle, works) = (work(|second| second < 20), work(|_| true));
    assert_eq!(trend(by_work(&points, &idle)), Trend::Growing);
    assert!(grows_steadily(by_work(&points, &idle)));
    assert_eq!(idle_since(by_work(&points, &idle)), Some(20 * SECOND));
    assert_eq!(trend(by_work(&points, &works)), Trend::Settled);
    assert_eq!(idle_since(by_work(&points, &works)), Some(60 * SECOND));
}

#[test]
fn what_stopped_growing_long_before_the_process_went_idle_is_settled() {
    let points: Vec<_> = (1..10).map(|s| (s * SECOND, s * 10)).collect();
    let idle = work(|second| second < 40);
    assert_eq!(trend(by_work(&points, &idle)), Trend::Settled);
}

#[test]
fn what_grows_by_the_clock_grows_however_it_works() {
    let points: Vec<_> = (1..60).map(|s| (s * SECOND, s * 10)).collect();
    for works in [work(|second| second < 5), work(|second| second > 55)] {
        assert_eq!(trend(by_work(&points, &works)), Trend::Growing);
    }
}

#[test]
fn growth_until_nothing_was_heard_of_the_process_is_not_settled_for_sure() {
    let points: Vec<_> = (1..20).map(|s| (s * SECOND, s * 10)).collect();
    let works = work(|_| true);
    let known = by_work(&points, &works);
    let unknown = Course {
        work: None,
        ..known
    };
    assert!(may_grow(unknown, 20 * SECOND));
    assert!(!may_grow(unknown, 50 * SECOND));
    assert!(!may_grow(known, 20 * SECOND));
}

#[test]
fn what_is_given_back_while_the_process_works_on_is_not_growing() {
    let mut points: Vec<_> = (1..59).map(|s| (s * SECOND, s * 10)).collect();
    points.push((59 * SECOND, 0));
    assert_ne!(of(&points, 0), Trend::Growing);
}

#[test]
fn the_later_growth_is_what_goes_above_the_peaks_of_the_earlier_half() {
    let later = |points: &[(u64, u64)]| {
        later_growth(Course {
            points,
            calls: 60,
            released: 0,
            first: points[0].0,
            last: points[points.len() - 1].0,
            began: 0,
            end: 60 * SECOND,
            work: None,
        })
    };
    assert_eq!(later(&sawtooth(6, |_| 0)), 0);
    let steps: Vec<_> = (0..=60).map(|s| (s * SECOND, s)).collect();
    assert_eq!(later(&steps), 30);
}

/// So much at once, and then `more(second)`.
fn after_a_start(more: impl Fn(u64) -> u64) -> Vec<(u64, u64)> {
    (1..60)
        .map(|s| (s * SECOND, 1_000 * (100 + more(s))))
        .collect()
}

fn steadily(points: &[(u64, u64)]) -> bool {
    grows_steadily(Course {
        points,
        calls: 60,
        released: 0,
        first: 0,
        last: 60 * SECOND,
        began: 0,
        end: 60 * SECOND,
        work: None,
    })
}

#[test]
fn steady_growth_after_a_start_is_growing_however_much_the_start_took() {
    let mut points = after_a_start(|s| s / 2);
    points[0].1 = 0;
    assert_eq!(of(&points, 0), Trend::Growing);
    assert!(steadily(&points));
}

#[test]
fn what_hardly_grows_or_calms_down_or_comes_and_goes_after_a_start_is_not_growing() {
    let hardly = after_a_start(|s| s / 20);
    let calming = after_a_start(|s| 60 - 60 / s);
    let teeth = after_a_start(|s| s % 7 + s / 30);
    for mut points in [hardly, calming, teeth] {
        points[0].1 = 0;
        assert_ne!(of(&points, 0), Trend::Growing, "{points:?}");
        assert!(!steadily(&points), "{points:?}");
    }
}
