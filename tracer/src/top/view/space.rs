//! The address space as a bar: what is mapped, in the order of the addresses, the gaps left out. A letter is for a
//! kind, whatever the table shows; what the filter leaves out is dim.

use std::collections::HashSet;

use ratatui::{
    layout::Rect,
    style::{Color, Modifier, Style},
};

use super::paint::{Canvas, painted, put};
use crate::top::{
    letters::{Letters, Parts},
    rows::TableRow,
};
use tracer_analysis::{
    summary::{Process, Reservation},
    units::bytes,
};
use tracer_report::text::line::{Line, Paint, cut_end, width};

const OTHER: char = 'o';
const BEFORE: char = '-';
/// `-` where most is touched.
const BEFORE_TOUCHED: char = '=';
/// In turn, of the 16 that every terminal can remap: none that a level has.
const COLORS: [Color; 6] = [
    Color::Cyan,
    Color::Magenta,
    Color::Blue,
    Color::LightCyan,
    Color::LightMagenta,
    Color::LightBlue,
];

/// How a letter is shown, by its rank among those given.
pub(super) fn style(rank: usize, color: bool) -> Style {
    if color {
        Style::new().fg(COLORS[rank % COLORS.len()])
    } else {
        Style::new()
    }
}

/// One place on the bar.
#[derive(Clone, Copy, Debug)]
struct Cell {
    letter: char,
    rank: Option<usize>,
    is_left_out: bool,
}

/// What the bar shows.
pub(super) struct Space {
    cells: Vec<Cell>,
    legend: Vec<(Line, Option<usize>)>,
}

/// Lines of the bar and its legend.
pub(super) const LINES: u16 = 2;

/// The bar in one line, and what its letters are. `filtered`: only what the table has rows for is not dim.
pub(super) fn lines(
    process: &Process,
    letters: &Letters,
    table: &[TableRow],
    filtered: bool,
    columns: u16,
) -> Space {
    let parts = Parts::of(process);
    let shown: HashSet<u32> = table
        .iter()
        .flat_map(|row| row.sites.iter().map(|index| process.sites[*index].id))
        .collect();
    let cell = |reservation: &Reservation| {
        let name = parts.name(reservation);
        let given = name.and_then(|name| letters.of(process, name));
        Cell {
            letter: match name {
                None => BEFORE,
                Some(_) => given.map_or(OTHER, |(letter, _)| letter),
            },
            rank: given.map(|(_, rank)| rank),
            is_left_out: filtered && !shown.contains(&reservation.site),
        }
    };
    let cells = cells(process, usize::from(columns), parts.all, cell);
    let mut entries = Vec::new();
    let mut other = 0u64;
    for (name, size) in &parts.sizes {
        match letters.of(process, name) {
            Some((letter, rank)) => entries.push((letter, *name, *size, Some(rank))),
            None => other = other.saturating_add(*size),
        }
    }
    entries.push((OTHER, "other", other, None));
    entries.push((BEFORE, "before", parts.before, None));
    let mut legend = Vec::new();
    let mut taken = 0;
    for (letter, name, size, rank) in entries {
        if size == 0 {
            continue;
        }
        let mut line = Line::new();
        line.add(Paint::Plain, &letter.to_string()).add(
            Paint::Dim,
            &format!(" {} {}  ", cut_end(name, 28), bytes(size)),
        );
        if taken + line.width() + 2 > usize::from(columns) {
            legend.push((painted(Paint::Dim, "…"), None));
            break;
        }
        taken += line.width();
        legend.push((line, rank));
    }
    let capital = "CAPITAL: mostly touched";
    if taken + width(capital) <= usize::from(columns) {
        legend.push((painted(Paint::Dim, capital), None));
    }
    Space { cells, legend }
}

/// Each cell is an equal part of all that is mapped, and shows most of it.
fn cells(
    process: &Process,
    count: usize,
    all: u128,
    cell_of: impl Fn(&Reservation) -> Cell,
) -> Vec<Cell> {
    let mut sorted: Vec<&Reservation> = process.reservations.iter().collect();
    sorted.sort_by_key(|reservation| reservation.start);
    let empty = Cell {
        letter: ' ',
        rank: None,
        is_left_out: false,
    };
    let mut cells = vec![(0u128, empty); count];
    let mut at = 0u128;
    let (count, all) = (count as u128, all.max(1));
    for reservation in sorted {
        let size = u128::from(reservation.reserved_bytes);
        let touched = reservation.touched_bytes.unwrap_or(0);
        let mostly = u128::from(touched) * 2 > size;
        let shown = cell_of(reservation);
        let letter = match (shown.letter, mostly) {
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
                cells[index] = (part, Cell { letter, ..shown });
            }
            cell += 1;
        }
    }
    cells.into_iter().map(|(_, cell)| cell).collect()
}

pub(super) fn draw(space: &Space, canvas: &mut Canvas<'_>, area: Rect) {
    for (cell, x) in space.cells.iter().zip(area.left()..area.right()) {
        let mut shown = cell
            .rank
            .map_or_else(Style::new, |rank| style(rank, canvas.color));
        if cell.is_left_out || cell.rank.is_none() {
            shown = Style::new().add_modifier(Modifier::DIM);
        }
        if let Some(drawn) = canvas.buffer.cell_mut((x, area.y)) {
            drawn.set_char(cell.letter).set_style(shown);
        }
    }
    let mut legend = Rect {
        y: area.y + 1,
        height: 1,
        ..area
    };
    if legend.y >= area.bottom() {
        return;
    }
    for (line, rank) in &space.legend {
        put(canvas, legend, std::slice::from_ref(line));
        if let Some(rank) = rank
            && let Some(letter) = canvas.buffer.cell_mut((legend.x, legend.y))
        {
            letter.set_style(style(*rank, canvas.color));
        }
        let taken = u16::try_from(line.width())
            .unwrap_or(u16::MAX)
            .min(legend.width);
        legend.x += taken;
        legend.width -= taken;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let mut letters = Letters::default();
        letters.give(&process);
        let space = lines(&process, &letters, &[], false, columns);
        space.cells.iter().map(|cell| cell.letter).collect()
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
