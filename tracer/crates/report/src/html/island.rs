//! JSON in the midst of HTML: a `<script type="application/json">` ends at the first `</script`, and begins
//! a comment at `<!--` (<https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements>).
//! So no `<` is left in it; `>`, `&` and the line separators of older JavaScript go with it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Writes a value as JSON that no text in it can break out of.
///
/// # Errors
/// Those of `out`.
pub fn write(value: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Island);
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// Escapes within strings: outside of them JSON has none of these letters.
struct Island;

impl Formatter for Island {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        let special = |letter| matches!(letter, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
        while let Some(at) = rest.find(special) {
            let (plain, tail) = rest.split_at(at);
            out.write_all(plain.as_bytes())?;
            let mut letters = tail.chars();
            if let Some(letter) = letters.next() {
                write!(out, "\\u{:04x}", u32::from(letter))?;
            }
            rest = letters.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::write;

    #[test]
    fn no_text_ends_the_island_and_every_text_comes_back() {
        let text = "</script><!--<img src=x onerror=alert(1)>&amp;\u{2028}\"\\\n";
        let mut out = Vec::new();
        write(&[text], &mut out).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert!(!written.contains(['<', '>', '&', '\u{2028}']), "{written}");
        let back: Vec<String> = serde_json::from_str(&written).unwrap();
        assert_eq!(back, [text]);
    }
}
