//! The answer on a process, as far as there is room: level and headline, who, because, hurts, change, next.

use super::paint::painted;
use crate::top::processes::judged;
use tracer_analysis::summary::{Process, Remedy, Who};
use tracer_analysis::units::{bytes, rate};
use tracer_report::text::{
    answer::sure,
    harm,
    line::{Line, Paint, cut_end, cut_start, width, wrap},
    page::{LABEL, level},
};

/// ns.
const HOUR: u64 = 3_600_000_000_000;
/// Where the smaller labels begin.
const INDENT: usize = 2;

/// At most so many lines: what is not asked first gives way first.
pub(super) fn lines(process: &Process, columns: usize, most: usize) -> Vec<Line> {
    let verdict = &process.verdict;
    let (harm, near) = harm::of(process);
    let mut parts = vec![part(0, headline(process, columns))];
    for (rank, one) in verdict.who.iter().enumerate() {
        let label = if rank == 0 { "who" } else { "" };
        parts.push(part(
            if rank == 0 { 1 } else { 4 },
            vec![who(label, one, columns)],
        ));
    }
    let because = verdict.because.join(" ");
    parts.push(part(6, text("because", Paint::Plain, &because, columns)));
    let paint = if near { Paint::Warn } else { Paint::Plain };
    let hurts = text("hurts", paint, &harm, columns);
    parts.push(part(if near { 2 } else { 5 }, hurts));
    for (rank, one) in verdict.change.iter().enumerate() {
        let label = if rank == 0 { "change" } else { "" };
        parts.push(part(
            if rank == 0 { 3 } else { 7 },
            change(label, one, columns),
        ));
    }
    for one in &verdict.next {
        let said = format!("{}: {}", one.why, one.command);
        parts.push(part(8, text("next", Paint::Plain, &said, columns)));
    }
    kept(parts, most)
}

/// Some lines, and how soon they are asked for.
struct Part {
    rank: u8,
    lines: Vec<Line>,
}

fn part(rank: u8, lines: Vec<Line>) -> Part {
    Part { rank, lines }
}

/// Whole parts, those that are asked for first; of the first one as much as fits.
fn kept(mut parts: Vec<Part>, most: usize) -> Vec<Line> {
    let mut left = most;
    let mut ranks: Vec<usize> = (0..parts.len()).collect();
    ranks.sort_by_key(|index| parts[*index].rank);
    for index in ranks {
        let lines = &mut parts[index].lines;
        if index == 0 {
            lines.truncate(left);
        } else if lines.len() > left {
            lines.clear();
        }
        left -= lines.len();
    }
    parts.into_iter().flat_map(|part| part.lines).collect()
}

/// In the level's colour; beside it or below how sure that is.
fn headline(process: &Process, columns: usize) -> Vec<Line> {
    let verdict = &process.verdict;
    let (word, paint) = judged(process).map_or(("–", Paint::Plain), level);
    let sure = sure(verdict);
    let parts = wrap(&verdict.headline, columns.saturating_sub(LABEL));
    let mut lines: Vec<Line> = parts
        .iter()
        .enumerate()
        .map(|(index, part)| {
            let mut line = Line::new();
            match index {
                0 => line.add(paint, word),
                1 => line.add(Paint::Dim, &sure),
                _ => &mut line,
            };
            line.to_column(LABEL).add(paint, part);
            line
        })
        .collect();
    if let [line] = lines.as_mut_slice()
        && line.width() + 2 + width(&sure) <= columns
    {
        line.right(Paint::Dim, &sure, columns);
    }
    lines
}

/// Name, place, bytes, rate; its id at the right.
fn who(label: &str, one: &Who, columns: usize) -> Line {
    let mut figures = bytes(one.bytes);
    if let Some(by_hour) = one.rate {
        figures.push_str(&format!("  +{}", rate(by_hour, HOUR)));
    }
    let right = width(&figures) + 2 + width(&one.site) + 2;
    let room = columns.saturating_sub(LABEL + right);
    let mut line = labelled(label);
    let callers = one.callers.iter().map(|caller| format!(" ← {caller}"));
    line.add(Paint::Bright, &cut_end(&one.name, room));
    let left = |line: &Line| (LABEL + room).saturating_sub(line.width());
    let place = one.place.as_deref().filter(|place| !place.is_empty());
    if let Some(place) = place
        && left(&line) > 12
    {
        let place = cut_start(place, left(&line) - 2);
        line.add(Paint::Plain, "  ").add(Paint::Plain, &place);
    }
    for caller in callers {
        if width(&caller) <= left(&line) {
            line.add(Paint::Dim, &caller);
        }
    }
    line.right(
        Paint::Plain,
        &figures,
        columns.saturating_sub(2 + width(&one.site)),
    );
    line.right(Paint::Dim, &one.site, columns);
    line
}

/// The knob is never broken: it is there to be copied.
fn change(label: &str, one: &Remedy, columns: usize) -> Vec<Line> {
    let mut line = labelled(label);
    line.add(Paint::Bright, &one.knob);
    let alone = Remedy {
        effect: String::new(),
        ..one.clone()
    };
    let mut texts = vec![format!("→ {}", one.comes_to())];
    if one.predicted_virtual_bytes.is_some() {
        // With less room the size alone.
        texts.push(format!("→ {}", alone.comes_to()));
    }
    let left = columns.saturating_sub(line.width() + 2);
    if let Some(text) = texts.iter().find(|text| width(text) <= left) {
        line.add(Paint::Plain, "  ").add(Paint::Plain, text);
        return vec![line];
    }
    let mut below = labelled("");
    let room = columns.saturating_sub(LABEL);
    below.add(Paint::Plain, &cut_end(&texts[0], room));
    vec![line, below]
}

fn text(label: &str, paint: Paint, text: &str, columns: usize) -> Vec<Line> {
    if text.is_empty() {
        return Vec::new();
    }
    let parts = wrap(text, columns.saturating_sub(LABEL));
    let lines = parts.iter().enumerate().map(|(index, part)| {
        let mut line = labelled(if index == 0 { label } else { "" });
        line.add(paint, part);
        line
    });
    lines.collect()
}

fn labelled(label: &str) -> Line {
    let mut line = painted(Paint::Plain, "");
    line.to_column(INDENT)
        .add(Paint::Dim, label)
        .to_column(LABEL);
    line
}

#[cfg(test)]
mod tests {
    use super::lines;
    use tracer_analysis::summary::{Level, Process, Remedy, Verdict, Who};

    fn said(columns: usize, most: usize) -> Vec<String> {
        let who = |site: &str| Who {
            site: site.into(),
            name: "keep".into(),
            place: Some("keep.c:1".into()),
            bytes: 60 << 20,
            rate: Some(5 << 30),
            ..Who::default()
        };
        let process = Process {
            verdict: Verdict {
                level: Level::Leak,
                confidence: 0.95,
                headline: "keep keep.c:1 keeps all it maps.".into(),
                who: vec![who("k3f1"), who("77c0")],
                because: vec!["Steady for 20 s.".into()],
                change: vec![Remedy {
                    knob: "KNOB=1".into(),
                    effect: String::new(),
                    predicted_virtual_bytes: Some(1 << 30),
                }],
                ..Verdict::default()
            },
            ..Process::default()
        };
        let lines = lines(&process, columns, most);
        assert!(lines.iter().all(|line| line.width() <= columns));
        let text = |line: &super::Line| line.pieces().map(|(_, text)| text).collect();
        lines.iter().map(text).collect()
    }

    #[test]
    fn what_is_asked_first_has_room_first_and_the_order_stays() {
        let all = said(80, 10);
        let labels = ["LEAK", "  who", "", "  because", "  hurts", "  change"];
        assert_eq!(all.len(), labels.len(), "{all:?}");
        for (line, label) in all.iter().zip(labels) {
            assert!(line.starts_with(label), "{all:?}");
        }
        assert!(all[1].ends_with("60 MiB  +1.4 MiB/s  k3f1"), "{all:?}");
        let some = said(80, 3);
        assert!(some[1].starts_with("  who") && some[2].starts_with("  change"));
        assert_eq!(said(80, 1), all[..1]);
    }
}
