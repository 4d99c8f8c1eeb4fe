//! A course in one line of blocks.

use tracer_analysis::summary::TimelinePoint;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Draws a figure between two moments, `columns` wide, from 0 to its most. Where it is not known (0:
/// before its first sample) there is a space.
#[must_use]
pub fn sparkline(
    points: &[TimelinePoint],
    from: u64,
    to: u64,
    columns: usize,
    figure: impl Fn(&TimelinePoint) -> u64,
) -> String {
    let most = points.iter().map(&figure).max().unwrap_or(0);
    if most == 0 || columns == 0 {
        return " ".repeat(columns);
    }
    let values = values(points, from, to, columns, figure);
    values.into_iter().map(|value| block(value, most)).collect()
}

/// The figure in each of so many equal parts of the time between two moments: the most of each part, so that
/// no peak is lost between two.
#[must_use]
pub fn values(
    points: &[TimelinePoint],
    from: u64,
    to: u64,
    columns: usize,
    figure: impl Fn(&TimelinePoint) -> u64,
) -> Vec<u64> {
    let span = u128::from(to.saturating_sub(from));
    let mut next = 0;
    let mut value = 0;
    let parts = 1..=columns as u128;
    parts
        .map(|part| {
            let until = from + u64::try_from(span * part / columns as u128).unwrap_or(u64::MAX);
            let mut shown = value;
            while next < points.len() && points[next].t_ns <= until {
                value = figure(&points[next]);
                shown = shown.max(value);
                next += 1;
            }
            shown
        })
        .collect()
}

fn block(value: u64, most: u64) -> char {
    if value == 0 {
        return ' ';
    }
    let step = u128::from(value) * BLOCKS.len() as u128 / u128::from(most);
    let step = usize::try_from(step).unwrap_or(BLOCKS.len());
    BLOCKS[step.min(BLOCKS.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::sparkline;
    use tracer_analysis::summary::TimelinePoint;

    fn drawn(points: &[(u64, u64)], columns: usize) -> String {
        let points: Vec<_> = points
            .iter()
            .map(|&(t_ns, virtual_bytes)| TimelinePoint {
                t_ns,
                virtual_bytes,
                ..TimelinePoint::default()
            })
            .collect();
        sparkline(&points, 0, 8, columns, |point| point.virtual_bytes)
    }

    #[test]
    fn a_course_rises_from_left_to_right_and_holds() {
        assert_eq!(drawn(&[(0, 1), (4, 8)], 8), "▂▂▂█████");
    }

    #[test]
    fn a_peak_between_two_columns_is_seen() {
        assert_eq!(drawn(&[(0, 1), (3, 8), (4, 1)], 2), "█▂");
    }

    #[test]
    fn what_is_not_known_is_not_drawn() {
        assert_eq!(drawn(&[(4, 8)], 4), " ███");
        assert_eq!(drawn(&[], 3), "   ");
    }
}
