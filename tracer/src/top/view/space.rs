//! The address space as a bar: what is mapped, in the order of the addresses, the gaps left out. Its letters
//! are for what the table has rows for, so that a filter, or another grouping, shows where that lies.

use std::cmp::Reverse;
use std::collections::HashMap;

use ratatui::{
    layout::Rect,
    style::{Color, Style},
};

use super::paint::{Canvas, put};
use crate::top::rows::TableRow;
use tracer_analysis::{
    summary::{Process, Reservation},
    units::bytes,
};
use tracer_report::text::line::{Line, Paint, cut_end, width};

/// Kinds with a letter of their own.
const LETTERS: [char; 8] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const OTHER: char = 'o';
const BEFORE: char = '-';
/// `-` where most is touched.
const BEFORE_TOUCHED: char = '=';
/// One for each letter, of the 16 that every terminal can remap.
const COLORS: [Color; 8] = [
    Color::Cyan,
    Color::Magenta,
    Color::Yellow,
    Color::Green,
    Color::Blue,
    Color::Red,
    Color::LightCyan,
    Color::LightMagenta,
];

/// What the bar shows.
pub(super) struct Space {
    cells: Vec<char>,
    rows: usize,
    legend: Line,
}

impl Space {
    pub(super) fn len(&self) -> usize {
        self.rows + 1
    }
}

/// The bar in so many lines. A letter is for what has a row in the table: for a kind, if it is known.
pub(super) fn lines(process: &Process, table: &[TableRow], columns: u16, rows: usize) -> Space {
    let mut names: HashMap<u32, &str> = HashMap::new();
    for row in table {
        let name = row
            .pattern
            .as_ref()
            .map_or(&row.short, |pattern| &pattern.name);
        let ids = row.sites.iter().map(|index| process.sites[*index].id);
        names.extend(ids.map(|id| (id, name.as_str())));
    }
    let name = |reservation: &Reservation| names.get(&reservation.site).copied();
    let mut kinds: HashMap<&str, u64> = HashMap::new();
    let (mut other, mut before, mut all) = (0u64, 0u64, 0u128);
    for reservation in &process.reservations {
        let size = reservation.reserved_bytes;
        all += u128::from(size);
        match name(reservation) {
            _ if reservation.pre_existing => before = before.saturating_add(size),
            Some(name) => {
                let sum = kinds.entry(name).or_default();
                *sum = sum.saturating_add(size);
            }
            None => other = other.saturating_add(size),
        }
    }
    let mut kinds: Vec<(&str, u64)> = kinds.into_iter().collect();
    kinds.sort_by_key(|(name, size)| (Reverse(*size), *name));
    let rest = kinds
        .iter()
        .skip(LETTERS.len())
        .fold(0u64, |sum, (_, size)| sum.saturating_add(*size));
    other = other.saturating_add(rest);
    kinds.truncate(LETTERS.len());
    let letter = |reservation: &Reservation| {
        if reservation.pre_existing {
            return BEFORE;
        }
        let name = name(reservation);
        let at = kinds.iter().position(|(kind, _)| Some(*kind) == name);
        at.map_or(OTHER, |at| LETTERS[at])
    };
    let cells = cells(process, usize::from(columns) * rows, all, letter);
    let mut legend = Line::new();
    let entries = kinds
        .iter()
        .zip(LETTERS)
        .map(|((name, size), letter)| (letter, *name, *size))
        .chain([(OTHER, "other", other), (BEFORE, "before", before)])
        .filter(|(_, _, size)| *size > 0);
    let capital = "CAPITAL: mostly touched";
    for (letter, name, size) in entries {
        let text = format!("{letter} {} {}  ", cut_end(name, 28), bytes(size));
        if legend.width() + width(&text) + 2 > usize::from(columns) {
            legend.add(Paint::Dim, "…");
            break;
        }
        legend.add(Paint::Plain, &text);
    }
    if legend.width() + width(capital) <= usize::from(columns) {
        legend.add(Paint::Dim, capital);
    }
    Space {
        cells,
        rows,
        legend,
    }
}

/// Each cell is an equal part of all that is mapped, with the letter of most of it.
fn cells(
    process: &Process,
    count: usize,
    all: u128,
    letter: impl Fn(&Reservation) -> char,
) -> Vec<char> {
    let mut sorted: Vec<&Reservation> = process.reservations.iter().collect();
    sorted.sort_by_key(|reservation| reservation.start);
    let mut cells = vec![(0u128, ' '); count];
    let mut at = 0u128;
    let (count, all) = (count as u128, all.max(1));
    for reservation in sorted {
        let size = u128::from(reservation.reserved_bytes);
        let touched = reservation.touched_bytes.unwrap_or(0);
        let mostly = u128::from(touched) * 2 > size;
        let letter = match (letter(reservation), mostly) {
            (BEFORE, true) => BEFORE_TOUCHED,
            (letter, true) => letter.to_ascii_uppercase(),
            (letter, false) => letter,
        };
        // In units of which a cell has `all` and the whole has `all * count`.
        let (from, to) = (at * count, (at + size) * count);
        at += size;
        let mut cell = from / all;
        while cell < count && cell * all < to {
            let part = to.min((cell + 1) * all) - from.max(cell * all);
            let index = usize::try_from(cell).unwrap_or(0);
            if part > cells[index].0 {
                cells[index] = (part, letter);
            }
            cell += 1;
        }
    }
    cells.into_iter().map(|(_, letter)| letter).collect()
}

pub(super) fn draw(space: &Space, canvas: &mut Canvas<'_>, area: Rect) {
    let columns = usize::from(area.width).max(1);
    for (index, letter) in space.cells.iter().enumerate() {
        let x = area.x + u16::try_from(index % columns).unwrap_or(0);
        let y = area.y + u16::try_from(index / columns).unwrap_or(0);
        if y >= area.bottom() {
            break;
        }
        let at = LETTERS
            .iter()
            .position(|one| *one == letter.to_ascii_lowercase());
        let style = match at {
            Some(at) if canvas.color => Style::new().fg(Color::Black).bg(COLORS[at]),
            _ => Style::new(),
        };
        if let Some(cell) = canvas.buffer.cell_mut((x, y)) {
            cell.set_char(*letter).set_style(style);
        }
    }
    let legend = Rect {
        y: area.y + u16::try_from(space.rows).unwrap_or(0),
        height: 1,
        ..area
    };
    if legend.y < area.bottom() {
        put(canvas, legend, std::slice::from_ref(&space.legend));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::rows::{Baseline, Order, rows};
    use tracer_analysis::summary::{Pattern, Site};

    fn bar(reservations: &[(u64, u64, u32, u64)], columns: u16) -> String {
        let process = Process {
            reservations: reservations
                .iter()
                .map(|&(start, size, site, touched)| Reservation {
                    start,
                    site,
                    reserved_bytes: size,
                    touched_bytes: Some(touched),
                    pre_existing: site == 0,
                    ..Reservation::default()
                })
                .collect(),
            sites: [("cage", 1), ("arena", 2)]
                .map(|(name, id)| Site {
                    id,
                    pattern: Some(Pattern {
                        name: name.into(),
                        ..Pattern::default()
                    }),
                    ..Site::default()
                })
                .into(),
            ..Process::default()
        };
        let (table, _) = rows(&process, &Order::default(), Baseline::None);
        lines(&process, &table, columns, 1).cells.iter().collect()
    }

    #[test]
    fn a_cell_shows_what_most_of_it_is_in_the_order_of_the_addresses() {
        let all = [
            (900, 10, 0, 0),
            (100, 60, 1, 0),
            (200, 20, 2, 20),
            (300, 10, 3, 0),
        ];
        assert_eq!(bar(&all, 10), "aaaaaaBBo-");
        assert_eq!(bar(&all, 5), "aaaBo");
    }

    #[test]
    fn nothing_mapped_is_nothing_drawn() {
        assert_eq!(bar(&[], 4), "    ");
        assert_eq!(bar(&[(0, u64::MAX, 1, 0), (1, 1, 1, 0)], 2), "aa");
    }
}
