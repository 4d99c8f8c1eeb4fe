//! One line of text: painted pieces whose width is known, and no control character in any of them.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

/// How a piece looks where colours are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// As the terminal does.
    Plain,
    /// What to read first.
    Bright,
    /// What to read last.
    Dim,
    /// All is well.
    Good,
    /// Look at this.
    Warn,
    /// Act on this.
    Bad,
}

impl Paint {
    /// SGR parameters (ECMA-48); the 16 colours that every terminal can remap.
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bright => "1",
            Self::Dim => "2",
            Self::Good => "1;32",
            Self::Warn => "1;33",
            Self::Bad => "1;31",
        }
    }
}

/// A line that is being put together.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pieces: Vec<(Paint, String)>,
    width: usize,
}

impl Line {
    /// An empty line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds text, escaped.
    pub fn add(&mut self, paint: Paint, text: &str) -> &mut Self {
        let text = escape(text);
        self.width += width(&text);
        self.pieces.push((paint, text));
        self
    }

    /// Adds spaces up to a column (from 0); none if the line is already that long.
    pub fn to_column(&mut self, column: usize) -> &mut Self {
        let missing = column.saturating_sub(self.width);
        self.add(Paint::Plain, &" ".repeat(missing))
    }

    /// Adds text so that it ends at a column.
    pub fn right(&mut self, paint: Paint, text: &str, column: usize) -> &mut Self {
        let text = escape(text);
        self.to_column(column.saturating_sub(width(&text)));
        self.add(paint, &text)
    }

    /// Columns taken so far.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// What was added, escaped, in that order.
    pub fn pieces(&self) -> impl Iterator<Item = (Paint, &str)> {
        self.pieces
            .iter()
            .map(|(paint, text)| (*paint, text.as_str()))
    }

    /// Writes the line and a newline, without spaces at its end.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, color: bool, out: &mut impl Write) -> io::Result<()> {
        let last = self
            .pieces
            .iter()
            .rposition(|(_, text)| !text.trim_end().is_empty());
        for (index, (paint, text)) in self.pieces.iter().enumerate() {
            let text = match last {
                Some(last) if index < last => text.as_str(),
                Some(last) if index == last => text.trim_end(),
                _ => break,
            };
            if color && *paint != Paint::Plain && !text.trim().is_empty() {
                write!(out, "\x1b[{}m{text}\x1b[0m", paint.code())?;
            } else {
                out.write_all(text.as_bytes())?;
            }
        }
        writeln!(out)
    }
}

/// Replaces whatever could move the cursor, change the terminal's state, or make text read in another
/// order than it is stored: control characters, the Unicode controls of direction, line separators.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\u{0}'..='\u{1f}' | '\u{7f}' => {
                escaped.push_str(&format!("\\x{:02x}", u32::from(letter)));
            }
            '\u{80}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}' => {
                escaped.push_str(&format!("\\u{{{:x}}}", u32::from(letter)));
            }
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// Columns that escaped text takes, as the live view's terminal counts them: two for East Asian wide letters and
/// pictures, none for combining marks (Unicode's `EastAsianWidth`).
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// Escapes, and cuts the end off if there are more than `limit` columns.
#[must_use]
pub fn cut_end(text: &str, limit: usize) -> String {
    let text = escape(text);
    if width(&text) <= limit {
        return text;
    }
    let ends = text
        .char_indices()
        .map(|(at, letter)| at + letter.len_utf8());
    let fit = ends.take_while(|end| width(&text[..*end]) < limit);
    format!("{}…", &text[..fit.last().unwrap_or(0)])
}

/// Escapes, and cuts the beginning off if there are more than `limit` columns: of a path or a
/// qualified name the end says more.
#[must_use]
pub fn cut_start(text: &str, limit: usize) -> String {
    let text = escape(text);
    if width(&text) <= limit {
        return text;
    }
    let begins = text.char_indices().rev().map(|(at, _)| at);
    let fit = begins.take_while(|begin| width(&text[*begin..]) < limit);
    format!("…{}", &text[fit.last().unwrap_or(text.len())..])
}

/// Escapes, and cuts the middle out if there are more than `limit` columns.
#[must_use]
pub fn cut_middle(text: &str, limit: usize) -> String {
    let text = escape(text);
    if width(&text) <= limit {
        return text;
    }
    let end = limit / 2;
    let begin = cut_end(&text, limit - end);
    let end = cut_start(&text, end + 1);
    begin + end.trim_start_matches('…')
}

/// Breaks escaped text at spaces into lines of at most `limit` columns, never between a number and
/// its unit; a longer word is broken too.
#[must_use]
pub fn wrap(text: &str, limit: usize) -> Vec<String> {
    let limit = limit.max(8);
    let text = escape(text);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in words(&text) {
        let word = word.as_str();
        if !line.is_empty() && width(&line) + 1 + width(word) > limit {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for letter in word.chars() {
            line.push(letter);
            if width(&line) > limit {
                line.pop();
                lines.push(std::mem::take(&mut line));
                line.push(letter);
            }
        }
    }
    lines.push(line);
    lines
}

/// Words, a number and its unit being one.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let bare = word.trim_end_matches([',', '.', ';', ')']);
        let unit = matches!(bare, "B" | "%" | "s" | "ms" | "µs" | "ns" | "min" | "h")
            || (bare.len() == 3 && bare.ends_with("iB"));
        match words.last_mut() {
            Some(last) if unit && last.ends_with(|letter: char| letter.is_ascii_digit()) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{Line, Paint, cut_end, cut_middle, cut_start, escape, width, wrap};

    fn written(line: &Line, color: bool) -> String {
        let mut out = Vec::new();
        line.write(color, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_control_character_of_a_target_reaches_the_terminal() {
        let mut line = Line::new();
        line.add(Paint::Plain, "a\x1b]0;owned\x07b\r\n\u{9b}2J\u{202e}c");
        assert_eq!(
            written(&line, false),
            "a\\x1b]0;owned\\x07b\\x0d\\x0a\\u{9b}2J\\u{202e}c\n"
        );
        assert_eq!(escape(&escape("\x1b")), "\\x1b");
    }

    #[test]
    fn columns_line_up_and_lines_do_not_end_in_spaces() {
        let mut line = Line::new();
        line.add(Paint::Plain, "日本")
            .right(Paint::Bright, "x", 8)
            .to_column(20);
        assert_eq!(written(&line, false), "日本   x\n");
        assert_eq!(written(&line, true), "日本   \x1b[1mx\x1b[0m\n");
    }

    #[test]
    fn text_is_cut_where_it_says_least() {
        assert_eq!(cut_end("abcdef", 4), "abc…");
        assert_eq!(cut_start("abcdef", 4), "…def");
        assert_eq!(cut_end("abcd", 4), "abcd");
        assert_eq!(cut_middle("abcdefgh", 6), "ab…fgh");
        assert_eq!(cut_middle("abcdefgh", 8), "abcdefgh");
        assert!(width(&cut_end("日本語", 4)) <= 4);
        assert_eq!(cut_end("日本語", 4), "日…");
        assert_eq!(cut_start("日本語", 4), "…語");
    }

    #[test]
    fn a_letter_with_its_marks_is_as_wide_as_a_terminal_shows_it() {
        assert_eq!(width("e\u{301}"), 1);
        // A sign that is followed by the request to be a picture takes two columns.
        assert_eq!(width("☁\u{fe0f}"), 2);
        assert_eq!(cut_end("☁\u{fe0f}abc", 4), "☁\u{fe0f}a…");
        assert_eq!(cut_start("abc☁\u{fe0f}", 4), "…c☁\u{fe0f}");
    }

    #[test]
    fn wrapping_keeps_every_word_within_the_limit() {
        let lines = wrap("the quick brown fox aaaaaaaaaaaaaaaaaaaaaaaaa", 10);
        assert!(lines.iter().all(|line| width(line) <= 10));
        assert_eq!(lines[0], "the quick");
        assert_eq!(lines.concat().matches('a').count(), 25);
        assert_eq!(
            wrap("cgroup 1.2 of 40.0 GiB, ok", 21),
            ["cgroup 1.2 of", "40.0 GiB, ok"]
        );
    }
}
