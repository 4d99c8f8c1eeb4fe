//! The paths that a Rust source mentions (`a::b::c`), those in `use` groups spelled out, with the
//! line they stand on. Comments and literals are no part of it.

/// One mention of a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    /// `["crate", "ledger", "change"]`; a macro's last part keeps its `!`.
    pub(crate) parts: Vec<String>,
    /// Counted from 1.
    pub(crate) line: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Separator,
    Open,
    Close,
    Bang,
    Other(char),
}

/// Every path of two parts or more, every macro, and every single name after `use`.
pub(crate) fn mentions(source: &str) -> Vec<Mention> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let begins = matches!(tokens[at].0, Token::Name(_));
        if !begins {
            at += 1;
            continue;
        }
        if matches!(&tokens[at].0, Token::Name(name) if name == "use") {
            at = tree(&tokens, at + 1, &[], &mut found);
        } else {
            let first = found.len();
            at = tree(&tokens, at, &[], &mut found);
            // A lone name outside `use` says nothing.
            if found.len() == first + 1
                && found[first].parts.len() == 1
                && !found[first].parts[0].ends_with('!')
            {
                found.pop();
            }
        }
    }
    found
}

/// Reads one path or group from `at`, below `prefix`; returns where it ends.
fn tree(
    tokens: &[(Token, usize)],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Mention>,
) -> usize {
    let mut parts = prefix.to_vec();
    let mut line = 0;
    loop {
        match tokens.get(at) {
            Some((Token::Name(name), on)) => {
                line = *on;
                parts.push(name.clone());
                at += 1;
            }
            Some((Token::Open, _)) => return group(tokens, at + 1, &parts, found),
            // `*`, or the `<` of a turbofish: the path ends here.
            _ => break,
        }
        match tokens.get(at) {
            Some((Token::Separator, _)) => at += 1,
            Some((Token::Bang, _)) => {
                if let Some(last) = parts.last_mut() {
                    last.push('!');
                }
                at += 1;
                break;
            }
            _ => break,
        }
    }
    if parts.len() > prefix.len() {
        found.push(Mention { parts, line });
    }
    at
}

fn group(
    tokens: &[(Token, usize)],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Mention>,
) -> usize {
    while let Some((token, _)) = tokens.get(at) {
        match token {
            Token::Close => return at + 1,
            // `as NAME`: what it is called here says nothing about what it is.
            Token::Name(name) if name == "as" => at += 2,
            Token::Name(_) | Token::Open => at = tree(tokens, at, prefix, found),
            _ => at += 1,
        }
    }
    at
}

fn tokens(source: &str) -> Vec<(Token, usize)> {
    let characters: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut at = 0;
    while at < characters.len() {
        let rest = &characters[at..];
        let skipped = skipped(rest);
        if skipped > 0 {
            line += rest[..skipped].iter().filter(|c| **c == '\n').count();
            at += skipped;
            continue;
        }
        let (token, length) = match rest {
            [':', ':', ..] => (Token::Separator, 2),
            ['{', ..] => (Token::Open, 1),
            ['}', ..] => (Token::Close, 1),
            // `!=` compares, and is no macro.
            ['!', '=', ..] => (Token::Other('!'), 2),
            ['!', ..] => (Token::Bang, 1),
            [first, ..] if is_name(*first) => {
                let length = rest.iter().take_while(|c| is_name(**c)).count();
                (Token::Name(rest[..length].iter().collect()), length)
            }
            [other, ..] => (Token::Other(*other), 1),
            [] => break,
        };
        tokens.push((token, line));
        at += length;
    }
    tokens
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// How many characters from here on are white space, one comment or one literal; 0 for code.
fn skipped(rest: &[char]) -> usize {
    match rest {
        [first, ..] if first.is_whitespace() => {
            rest.iter().take_while(|c| c.is_whitespace()).count()
        }
        ['/', '/', ..] => rest.iter().take_while(|c| **c != '\n').count(),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => 1 + quoted(&rest[1..], '"'),
        ['b', '"', ..] => 2 + quoted(&rest[2..], '"'),
        ['r', '"' | '#', ..] => raw(rest, 1),
        ['b', 'r', '"' | '#', ..] => raw(rest, 2),
        ['\'', '\\', ..] => 1 + quoted(&rest[1..], '\''),
        ['\'', _, '\'', ..] => 3,
        // A lifetime: its name is no path.
        ['\'', first, ..] if is_name(*first) => {
            1 + rest[1..].iter().take_while(|c| is_name(**c)).count()
        }
        _ => 0,
    }
}

fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => {
                depth += 1;
                at += 2;
            }
            ['*', '/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

/// Length of the rest of a literal, its closing quote included.
fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 0;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            character if character == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of a raw string whose hashes begin at `from`; 0 for a raw name (`r#type`).
fn raw(rest: &[char], from: usize) -> usize {
    let hashes = rest[from..].iter().take_while(|c| **c == '#').count();
    if rest.get(from + hashes) != Some(&'"') {
        return 0;
    }
    let mut end = vec!['"'];
    end.extend(std::iter::repeat_n('#', hashes));
    let body = from + hashes + 1;
    rest[body..]
        .windows(end.len())
        .position(|window| window == end)
        .map_or(rest.len(), |length| body + length + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(source: &str) -> Vec<String> {
        mentions(source)
            .iter()
            .map(|mention| mention.parts.join("::"))
            .collect()
    }

    #[test]
    fn groups_are_spelled_out() {
        assert_eq!(
            written("use std::{fs, io::{self, Write as _}, net::*};"),
            ["std::fs", "std::io::self", "std::io::Write", "std::net"]
        );
    }

    #[test]
    fn a_path_within_an_expression_is_found_and_a_lone_name_is_not() {
        assert_eq!(
            written("let now = std::time::Instant::now(); f(now);"),
            ["std::time::Instant::now"]
        );
        assert_eq!(written("use aya;"), ["aya"]);
    }

    #[test]
    fn macros_keep_their_mark_and_inequality_is_none() {
        assert_eq!(written("println!(\"{x}\"); a != b;"), ["println!"]);
    }

    #[test]
    fn comments_and_literals_hold_no_paths() {
        let source = r##"
            // std::fs
            /* std::net /* std::io */ std::thread */
            let a = "std::fs \" std::io"; let b = r#"std::env " "#; let c = ':'; let d = '\'';
            fn e<'f>(g: &'f str) {}
        "##;
        assert_eq!(written(source), Vec::<String>::new());
    }

    #[test]
    fn lines_are_counted_through_comments_and_literals() {
        let found = mentions("// one\nlet s = \"\n\";\nuse std::fs;\n");
        assert_eq!(found[0].line, 4);
    }

    #[test]
    fn a_block_after_a_path_is_no_group() {
        assert_eq!(
            written("match Kind::Mmap { a::B => c::D { e: f::G } }"),
            ["Kind::Mmap", "a::B", "c::D", "f::G"]
        );
    }
}
