//! A table that gives up columns, not truth, when there is little room.

use super::line::{Line, Paint, cut_start, width};

/// One column of figures, right-aligned.
#[derive(Clone, Debug)]
pub struct Column {
    /// What stands above it.
    pub header: &'static str,
    /// The higher, the earlier it is given up.
    pub spare: u8,
}

impl Column {
    /// See the fields.
    #[must_use]
    pub const fn new(header: &'static str, spare: u8) -> Self {
        Self { header, spare }
    }
}

/// The room that titles get at least.
const TITLE_LEAST: usize = 22;
/// Wider titles would put the figures too far from them.
const TITLE_MOST: usize = 64;
/// Between two columns.
const GAP: usize = 2;

/// Where everything stands.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Where titles begin.
    pub indent: usize,
    /// Columns that a title has.
    pub title: usize,
    kept: Vec<(usize, usize)>,
}

impl Layout {
    /// Finds room for as many of the columns as possible.
    #[must_use]
    pub fn new(columns: &[Column], rows: &[Vec<String>], indent: usize, total: usize) -> Self {
        let mut kept: Vec<(usize, usize)> = columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let cells = rows.iter().filter_map(|row| row.get(index));
                let widest = cells.map(|cell| width(cell)).max().unwrap_or(0);
                (index, widest.max(width(column.header)))
            })
            .collect();
        let figures =
            |kept: &[(usize, usize)]| -> usize { kept.iter().map(|(_, width)| width + GAP).sum() };
        while kept.len() > 1 && indent + TITLE_LEAST + figures(&kept) > total {
            let given_up = kept
                .iter()
                .enumerate()
                .max_by_key(|(_, (index, _))| columns[*index].spare)
                .map(|(position, _)| position);
            let Some(position) = given_up else { break };
            kept.remove(position);
        }
        let title = total
            .saturating_sub(indent + figures(&kept))
            .clamp(TITLE_LEAST.min(total), TITLE_MOST);
        Self {
            indent,
            title,
            kept,
        }
    }

    /// The line above the figures.
    #[must_use]
    pub fn header(&self, title: &str, columns: &[Column]) -> Line {
        let mut line = Line::new();
        line.add(Paint::Bright, title);
        let mut column = self.indent + self.title;
        for (index, width) in &self.kept {
            column += GAP + width;
            line.right(Paint::Dim, columns[*index].header, column);
        }
        line
    }

    /// Adds the figures to a line that has its title.
    pub fn figures(&self, line: &mut Line, row: &[String], paint: Paint) {
        let mut column = self.indent + self.title;
        for (index, width) in &self.kept {
            column += GAP + width;
            line.right(paint, &row[*index], column);
        }
    }

    /// A title that fits.
    #[must_use]
    pub fn fit(&self, title: &str) -> String {
        cut_start(title, self.title)
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, Layout};

    const COLUMNS: [Column; 3] = [
        Column::new("reserved", 0),
        Column::new("resident", 2),
        Column::new("live", 1),
    ];

    fn header(total: usize) -> String {
        let rows = [vec!["10.0 GiB".into(), "1".into(), "1/1".into()]];
        let layout = Layout::new(&COLUMNS, &rows, 4, total);
        let mut out = Vec::new();
        let line = layout.header("title", &COLUMNS);
        assert!(line.width() <= total);
        line.write(false, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_most_spared_column_goes_first() {
        assert!(header(52).contains("resident"));
        assert!(!header(42).contains("resident") && header(42).contains("live"));
        assert!(!header(36).contains("live") && header(36).contains("reserved"));
    }
}
