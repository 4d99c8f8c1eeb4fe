use super::super::sample;
use super::super::tests::{Child, OwnMemory};
use super::*;
use tracer_ledger::event::Nanoseconds;

const PAGE: u64 = 4096;

fn own() -> Pid {
    Pid(std::process::id())
}

fn pagemap() -> File {
    File::open("/proc/self/pagemap").unwrap()
}

/// Ranges in pages from the beginning of `mapped`.
fn relative(mapped: &OwnMemory, ranges: &[(Address, u64)]) -> Vec<(u64, u64)> {
    ranges
        .iter()
        .map(|(start, length)| ((start.0 - mapped.start().0) / PAGE, length / PAGE))
        .collect()
}

fn whole(mapped: &OwnMemory, pages: u64) -> [(Address, u64); 1] {
    [(mapped.start(), pages * PAGE)]
}

#[test]
fn the_pages_that_were_written_are_resident_and_no_others() {
    let mapped = OwnMemory::writable(64 * 4096);
    for page in [0, 1, 5, 63] {
        mapped.write(page);
    }
    let found = resident(own(), &whole(&mapped, 64)).unwrap();
    assert_eq!(relative(&mapped, &found), [(0, 2), (5, 1), (63, 1)]);
    let found = by_entries(&pagemap(), &in_pages(&whole(&mapped, 64))).unwrap();
    assert_eq!(relative(&mapped, &found), [(0, 2), (5, 1), (63, 1)]);
}

#[test]
fn the_page_of_zeros_is_not_resident() {
    let mapped = OwnMemory::writable(8 * 4096);
    assert_eq!(mapped.read(3), 0);
    mapped.write(6);
    let found = resident(own(), &whole(&mapped, 8)).unwrap();
    let expected: &[_] = if has_scan() {
        &[(6, 1)]
    } else {
        &[(3, 1), (6, 1)]
    };
    assert_eq!(relative(&mapped, &found), expected);
    let found = by_entries(&pagemap(), &in_pages(&whole(&mapped, 8))).unwrap();
    assert_eq!(relative(&mapped, &found), [(3, 1), (6, 1)], "as documented");
}

#[test]
fn a_cage_of_ten_gibibytes_shows_its_few_pages() {
    let pages = (10 << 30) / 4096;
    let mapped = OwnMemory::none(pages * 4096);
    let middle = pages / 5;
    mapped.protect(middle, 16, libc::PROT_READ | libc::PROT_WRITE);
    mapped.write(middle + 2);
    mapped.write(middle + 3);
    let expected = [(middle as u64 + 2, 2)];
    let ranges = whole(&mapped, pages as u64);
    let found = resident(own(), &ranges).unwrap();
    assert_eq!(relative(&mapped, &found), expected);
    let ranges = accessible(&in_pages(&ranges), &maps(own()).unwrap());
    assert_eq!(ranges.len(), 1);
    assert_eq!(ranges[0].end - ranges[0].start, 16 * PAGE);
    let found = by_entries(&pagemap(), &ranges).unwrap();
    assert_eq!(relative(&mapped, &found), expected);
}

#[test]
fn what_was_written_stays_resident_behind_a_protection_of_none() {
    let mapped = OwnMemory::writable(4 * 4096);
    mapped.write(1);
    mapped.protect(0, 4, libc::PROT_NONE);
    let found = resident(own(), &whole(&mapped, 4)).unwrap();
    let expected: &[_] = if has_scan() { &[(1, 1)] } else { &[] };
    assert_eq!(relative(&mapped, &found), expected);
}

/// Everywhere else the expectations above would hold for the wrong reason.
#[test]
fn the_kernel_scans_from_6_7_on() {
    let release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    let mut numbers = release
        .split(|letter: char| !letter.is_ascii_digit())
        .map(|number| number.parse::<u32>().unwrap());
    let version = (numbers.next().unwrap(), numbers.next().unwrap());
    assert_eq!(has_scan(), version >= (6, 7), "{release}");
}

#[test]
fn more_regions_than_one_call_returns_are_all_found() {
    let pages = 2 * ENTRIES + 100;
    let mapped = OwnMemory::writable(pages * 4096);
    let written: Vec<usize> = (0..4 * REGIONS)
        .map(|index| 2 * index)
        .chain([pages - 1])
        .collect();
    for &page in &written {
        mapped.write(page);
    }
    let expected: Vec<(u64, u64)> = written.iter().map(|&page| (page as u64, 1)).collect();
    let ranges = in_pages(&whole(&mapped, pages as u64));
    let found = resident(own(), &whole(&mapped, pages as u64)).unwrap();
    assert_eq!(relative(&mapped, &found), expected);
    let found = by_entries(&pagemap(), &ranges).unwrap();
    assert_eq!(relative(&mapped, &found), expected);
}

#[test]
fn ranges_may_come_in_any_order_and_touch_or_overlap() {
    let mapped = OwnMemory::writable(64 * 4096);
    for page in 0..64 {
        mapped.write(page);
    }
    let range = |page: u64, pages: u64| (Address(mapped.start().0 + page * PAGE), pages * PAGE);
    let ranges = [
        range(40, 2),
        range(10, 10),
        range(20, 4),
        range(0, 12),
        range(50, 0),
        (Address(mapped.start().0 + 60 * PAGE + 5), 10),
        (Address(u64::MAX - 4095), 4096),
    ];
    let found = resident(own(), &ranges).unwrap();
    assert_eq!(relative(&mapped, &found), [(0, 24), (40, 2), (60, 1)]);
}

/// Against what the kernel itself counts page by page, `smaps_rollup`.
#[test]
fn a_quiet_process_has_as_much_resident_as_the_kernel_counts() {
    let child = Child::idle();
    let pid = child.pid();
    let rollup = || {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("Rss:"))
            .unwrap();
        line.trim()
            .strip_suffix(" kB")
            .unwrap()
            .parse::<u64>()
            .unwrap()
            << 10
    };
    let ranges: Vec<(Address, u64)> = maps(pid)
        .unwrap()
        .iter()
        // The kernel's own data, in every process, and in nobody's count.
        .filter(|mapping| !mapping.name.starts_with("[vvar"))
        .map(|mapping| (mapping.start, mapping.end.0 - mapping.start.0))
        .collect();
    loop {
        let before = rollup();
        let found: u64 = resident(pid, &ranges)
            .unwrap()
            .iter()
            .map(|(_, bytes)| bytes)
            .sum();
        if before == rollup() {
            assert_eq!(found, before);
            break;
        }
    }
    assert!(sample(pid, Nanoseconds(0)).unwrap().0.resident_bytes > 0);
}

#[test]
fn only_what_is_accessible_is_left_of_the_ranges() {
    let mapping = |start, end, protection| Mapping {
        start: Address(start * PAGE),
        end: Address(end * PAGE),
        protection,
        ..Mapping::default()
    };
    let mappings = [
        mapping(0, 10, 3),
        mapping(10, 20, 0),
        mapping(20, 30, 1),
        mapping(30, 40, 4),
        mapping(60, 70, 3),
    ];
    let pages = |start, end| PageRange {
        start: start * PAGE,
        end: end * PAGE,
    };
    let check = |ranges: &[PageRange], expected: &[PageRange]| {
        assert_eq!(accessible(ranges, &mappings), expected);
    };
    check(
        &[pages(0, 100)],
        &[pages(0, 10), pages(20, 40), pages(60, 70)],
    );
    check(
        &[pages(2, 3), pages(5, 6), pages(9, 21)],
        &[pages(2, 3), pages(5, 6), pages(9, 10), pages(20, 21)],
    );
    check(&[pages(11, 19), pages(45, 50)], &[]);
    check(&[pages(35, 65)], &[pages(35, 40), pages(60, 65)]);
    check(&[], &[]);
}
