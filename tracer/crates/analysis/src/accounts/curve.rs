//! A step function of time in bounded memory: a timeline, or the history of a site.

use crate::accounts::time::TraceTime;

/// Values over time, thinned as time goes on: of each bucket of time the last value is kept, and
/// when there would be more than `LIMIT` points, the bucket is doubled.
#[derive(Clone, Debug)]
pub struct Curve<V, const LIMIT: usize> {
    /// ns.
    bucket: u64,
    /// Invariant: ascending times, one point a bucket, at most `LIMIT` points.
    points: Vec<(TraceTime, V)>,
}

/// The finest bucket, ns.
const FINEST: u64 = 1_000_000;

impl<V, const LIMIT: usize> Default for Curve<V, LIMIT> {
    fn default() -> Self {
        Self {
            bucket: FINEST,
            points: Vec::new(),
        }
    }
}

impl<V: Copy, const LIMIT: usize> Curve<V, LIMIT> {
    /// From `time` on the value is `value`. A time before the last one counts as the last one.
    pub fn record(&mut self, time: TraceTime, value: V) {
        if let Some(last) = self.points.last_mut() {
            let time = time.max(last.0);
            if number(time, self.bucket) == number(last.0, self.bucket) {
                *last = (time, value);
                return;
            }
        }
        self.points.push((time, value));
        while self.points.len() > LIMIT {
            self.bucket = self.bucket.saturating_mul(2);
            self.points = in_buckets(&self.points, self.bucket);
        }
    }

    /// The points, ascending.
    #[must_use]
    pub fn points(&self) -> &[(TraceTime, V)] {
        &self.points
    }
}

/// The points in so few buckets that there are at most `limit`: of each the last is kept.
#[must_use]
pub fn thinned<V: Copy>(points: &[(TraceTime, V)], limit: usize) -> Vec<(TraceTime, V)> {
    let mut bucket = FINEST;
    let mut thinned = points.to_vec();
    while thinned.len() > limit.max(1) {
        thinned = in_buckets(&thinned, bucket);
        bucket = bucket.saturating_mul(2);
    }
    thinned
}

/// The last point of each bucket of time.
fn in_buckets<V: Copy>(points: &[(TraceTime, V)], bucket: u64) -> Vec<(TraceTime, V)> {
    let mut kept: Vec<(TraceTime, V)> = Vec::with_capacity(points.len());
    for &point in points {
        match kept.last_mut() {
            Some(last) if number(last.0, bucket) == number(point.0, bucket) => *last = point,
            _ => kept.push(point),
        }
    }
    kept
}

/// Which bucket of so many ns a time lies in.
fn number(time: TraceTime, bucket: u64) -> u64 {
    time.0 / bucket
}

/// The value that a step function has at `time`: that of the last point not after it.
pub fn value_at<T: Ord + Copy, V: Copy>(points: &[(T, V)], time: T) -> Option<V> {
    let after = points.partition_point(|point| point.0 <= time);
    Some(points.get(after.checked_sub(1)?)?.1)
}

#[cfg(test)]
mod tests {
    use super::{Curve, FINEST, value_at};
    use crate::accounts::time::TraceTime;

    #[test]
    fn a_long_course_is_thinned_and_keeps_its_last_value() {
        let mut curve = Curve::<u64, 16>::default();
        for step in 0..10_000 {
            curve.record(TraceTime(step * FINEST), step);
        }
        assert!(curve.points().len() <= 16 && curve.points().len() >= 8);
        assert_eq!(
            curve.points().last(),
            Some(&(TraceTime(9_999 * FINEST), 9_999))
        );
        assert!(curve.points().is_sorted_by_key(|point| point.0));
    }

    #[test]
    fn the_last_value_of_a_bucket_is_kept() {
        let mut curve = Curve::<u64, 16>::default();
        curve.record(TraceTime(10), 1);
        curve.record(TraceTime(20), 2);
        curve.record(TraceTime(5), 3);
        assert_eq!(curve.points(), [(TraceTime(20), 3)]);
    }

    #[test]
    fn a_step_holds_until_the_next_and_begins_at_its_point() {
        let points = [(10, 'a'), (20, 'b')];
        assert_eq!(value_at(&points, 9), None);
        assert_eq!(value_at(&points, 10), Some('a'));
        assert_eq!(value_at(&points, 19), Some('a'));
        assert_eq!(value_at(&points, 99), Some('b'));
    }
}
