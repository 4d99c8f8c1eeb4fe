//! Text in Markdown (GitHub's dialect): what a traced process can choose is no markup, no link, and calls
//! nobody.

use super::text::line::escape;

/// Our own words, in which names may stand: nothing in them is Markdown.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in escape(text).chars() {
        match letter {
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            // A name must neither be a link nor call anybody.
            '@' => plain.push_str("@\u{2060}"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '>' | '!' => {
                plain.push('\\');
                plain.push(letter);
            }
            _ => plain.push(letter),
        }
    }
    plain
}

/// A name in a code span.
#[must_use]
pub fn code(text: &str) -> String {
    let text = escape(text);
    if text.trim().is_empty() {
        return String::new();
    }
    let fence = fence([text.as_str()], 1);
    // A space at both ends belongs to the span's marks (CommonMark 6.1).
    if fence.len() > 1 || text.starts_with('`') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// A name in a code span in a table, where even there a `|` would end the cell.
#[must_use]
pub fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// More backticks than any run of them in the texts.
#[must_use]
pub fn fence<'a>(texts: impl IntoIterator<Item = &'a str>, least: usize) -> String {
    let longest = texts
        .into_iter()
        .flat_map(|text| text.split(|letter| letter != '`'))
        .map(str::len)
        .max();
    "`".repeat(least.max(longest.unwrap_or(0) + 1))
}

#[cfg(test)]
mod tests {
    use super::{cell, code, fence, plain};

    #[test]
    fn a_name_cannot_leave_its_span() {
        assert_eq!(code("mmap"), "`mmap`");
        assert_eq!(code("a`b``c"), "``` a`b``c ```");
        assert_eq!(code("a\nb"), "`a\\x0ab`");
        assert_eq!(code(" "), "");
        assert_eq!(cell("a|b"), "`a\\|b`");
        assert_eq!(fence(["```", "x"], 3), "````");
    }

    #[test]
    fn words_are_no_markup() {
        assert_eq!(
            plain("<b>@ann *x* [y](z)"),
            "&lt;b>@\u{2060}ann \\*x\\* \\[y\\](z)".replace("b>", "b\\>")
        );
    }
}
