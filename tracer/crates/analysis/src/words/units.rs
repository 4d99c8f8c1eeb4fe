//! Figures in words: binary sizes, times, shares, counts. Used by the verdict and by every text.

const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// Reads a size as people write it; units are binary, whether they are written `MiB`, `MB` or `M`. `None`: it
/// is none.
#[must_use]
pub fn parse_bytes(text: &str) -> Option<u64> {
    let binary = parse_size::Config::new().with_binary();
    binary.parse_size(text.trim()).ok()
}

/// A size in binary units, two to four digits: `188 KiB`, `1.5 MiB`, `10.0 GiB`.
#[must_use]
pub fn bytes(value: u64) -> String {
    if value < 1024 {
        return format!("{value} B");
    }
    let mut unit = 0;
    let mut scaled = value as f64;
    // 1023.6 would be printed as 1024: that is one of the next unit.
    while scaled >= 1023.5 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    let whole = value.is_multiple_of(1 << (10 * unit)) && unit < 3;
    if whole || scaled >= 99.95 {
        format!("{scaled:.0} {}", UNITS[unit])
    } else {
        format!("{scaled:.1} {}", UNITS[unit])
    }
}

/// A size and what it is a part of, the unit once if it is the same: `1.2 of 4.0 GiB`.
#[must_use]
pub fn bytes_of(part: u64, whole: u64) -> String {
    let (part, whole) = (bytes(part), bytes(whole));
    match (part.split_once(' '), whole.split_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => format!("{number} of {whole}"),
        _ => format!("{part} of {whole}"),
    }
}

/// A signed size, the sign always shown unless 0.
#[must_use]
pub fn signed_bytes(value: i64) -> String {
    let size = bytes(value.unsigned_abs());
    match value.signum() {
        1 => format!("+{size}"),
        -1 => format!("−{size}"),
        _ => size,
    }
}

/// A count with thousands separated: `61,204`.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 reservation`, `2 reservations`.
#[must_use]
pub fn counted(value: u64, singular: &str, plural: &str) -> String {
    let word = if value == 1 { singular } else { plural };
    format!("{} {word}", count(value))
}

/// A time in ns: `3 µs`, `12 ms`, `5.6 s`, `12 min 30 s`, `3 h 12 min`.
#[must_use]
pub fn duration(ns: u64) -> String {
    const SECOND: u64 = 1_000_000_000;
    match ns {
        0 => "0 s".into(),
        1..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} µs", ns / 1_000),
        1_000_000..10_000_000 => format!("{:.1} ms", ns as f64 / 1e6),
        10_000_000..SECOND => format!("{} ms", ns / 1_000_000),
        _ if ns < 600 * SECOND => format!("{:.1} s", ns as f64 / 1e9),
        _ if ns < 7_200 * SECOND => {
            let seconds = ns / SECOND;
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
        _ => {
            let minutes = ns / SECOND / 60;
            format!("{} h {} min", count(minutes / 60), minutes % 60)
        }
    }
}

/// A size in a time in ns, by the unit of time in which it is at least a MiB, else by the hour:
/// `12 MiB/s`, `3.1 MiB/min`, `40 KiB/h`.
#[must_use]
pub fn rate(size: u64, ns: u64) -> String {
    const SECOND: u128 = 1_000_000_000;
    let within = |seconds: u128| {
        let scaled = u128::from(size) * seconds * SECOND / u128::from(ns.max(1));
        u64::try_from(scaled).unwrap_or(u64::MAX)
    };
    for (seconds, unit) in [(1, "s"), (60, "min")] {
        if within(seconds) >= 1 << 20 {
            return format!("{}/{unit}", bytes(within(seconds)));
        }
    }
    format!("{}/h", bytes(within(3_600)))
}

/// A moment of the trace, ns since it began, always in seconds or longer: `0.0 s`, `27.0 s`.
#[must_use]
pub fn moment(ns: u64) -> String {
    if ns < 1_000_000_000 {
        format!("{:.1} s", ns as f64 / 1e9)
    } else {
        duration(ns)
    }
}

/// A share: `0 %`, `0.002 %`, `3.4 %`, `57 %`; 100 only for all of it, 0 only for nothing.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0 %".into();
    }
    if part >= whole {
        return "100 %".into();
    }
    let share = part as f64 * 100.0 / whole as f64;
    match share {
        s if s < 0.0005 => "under 0.001 %".into(),
        s if s < 0.0095 => format!("{s:.3} %"),
        s if s < 0.095 => format!("{s:.2} %"),
        s if s < 9.95 => format!("{s:.1} %"),
        s if s < 99.0 => format!("{s:.0} %"),
        _ => "over 99 %".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, bytes_of, count, duration, percent, rate, signed_bytes};

    #[test]
    fn sizes_have_the_digits_that_matter() {
        let gib = 1 << 30;
        for (value, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (4096, "4 KiB"),
            (188 << 10, "188 KiB"),
            (64 << 20, "64 MiB"),
            ((64 << 20) + 4096, "64.0 MiB"),
            (gib - 1, "1.0 GiB"),
            (10 * gib, "10.0 GiB"),
            (300 * gib, "300 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(value), text);
        }
        assert_eq!(signed_bytes(-4096), "−4 KiB");
        assert_eq!(signed_bytes(0), "0 B");
        assert_eq!(bytes_of(gib, 4 * gib), "1.0 of 4.0 GiB");
        assert_eq!(bytes_of(4096, gib), "4 KiB of 1.0 GiB");
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!(count(999), "999");
        assert_eq!(count(61_204), "61,204");
        assert_eq!(count(1_000_000), "1,000,000");
    }

    #[test]
    fn times_change_unit_where_people_do() {
        assert_eq!(duration(12_345_678), "12 ms");
        assert_eq!(duration(60_000_000_000), "60.0 s");
        assert_eq!(duration(750_000_000_000), "12 min 30 s");
        assert_eq!(duration(7_260_000_000_000), "2 h 1 min");
    }

    #[test]
    fn a_rate_is_by_the_time_in_which_it_matters() {
        let second = 1_000_000_000;
        for (size, ns, text) in [
            (60 << 20, 5 * second, "12 MiB/s"),
            (60 << 20, 600 * second, "6 MiB/min"),
            (1 << 20, 7_200 * second, "512 KiB/h"),
            (1 << 20, 0, "954 TiB/s"),
        ] {
            assert_eq!(rate(size, ns), text);
        }
    }

    #[test]
    fn a_share_is_nothing_or_all_only_when_it_is() {
        assert_eq!(percent(0, 10), "0 %");
        assert_eq!(percent(1, u64::MAX), "under 0.001 %");
        assert_eq!(percent(2, 100_000), "0.002 %");
        assert_eq!(percent(999_999, 1_000_000), "over 99 %");
        assert_eq!(percent(10, 10), "100 %");
        assert_eq!(percent(568, 1_000), "57 %");
    }
}
