//! A budget's expression, read.

use super::expression::{Budget, CHOICES, Limit, Subject};
use super::figures::FIGURES;
use super::metrics::METRICS;
use super::model::Unit;
use super::suggest::no_such;
use crate::model::summary::Level;
use crate::words::units::parse_bytes;

/// The worst verdict.
const LEVEL: &str = "level";
/// What is above the baseline, of the metric in its brackets.
const GROWTH: &str = "growth";
/// What follows a growth in the other way to write it.
const OVER_BASELINE: &str = "over baseline";

/// Reads one: see [the module](super).
///
/// # Errors
/// What is wrong, and what could be meant; one line.
pub fn parse(expression: &str) -> Result<Budget, String> {
    read(expression.trim()).map_err(|wrong| {
        let shown: String = expression.chars().flat_map(char::escape_debug).collect();
        format!(
            "cannot understand the budget `{}`: {wrong}",
            shown.replace("\\\"", "\"")
        )
    })
}

fn read(text: &str) -> Result<Budget, String> {
    if text.is_empty() {
        return Err("it is empty; write one like `never-released > 100MiB`".into());
    }
    let mut cursor = Cursor { rest: text };
    let mut word = cursor.word();
    let mut growth = false;
    if word == GROWTH {
        growth = true;
        cursor.expect('(')?;
        word = cursor.word();
    }
    let subject = subject(word, &mut cursor)?;
    if growth {
        cursor.expect(')')?;
    }
    cursor.skip_space();
    let inclusive = if cursor.take(">=") {
        true
    } else if cursor.take(">") {
        false
    } else {
        let found = cursor.rest.split_whitespace().next();
        return Err(match found {
            Some(found) => format!(
                "`{found}` stands where > or >= is to stand: a budget says what is too much"
            ),
            None => "it ends before its limit; write one like `virtual > 30GiB`".into(),
        });
    };
    let mut limit_text = cursor.rest.trim();
    if let Some(before) = limit_text.strip_suffix(OVER_BASELINE) {
        growth = true;
        limit_text = before.trim();
    }
    let limit = limit(limit_text, &subject, growth)?;
    Ok(Budget {
        expression: text.to_owned(),
        reason: None,
        subject,
        growth,
        inclusive,
        limit,
    })
}

fn subject(word: &str, cursor: &mut Cursor<'_>) -> Result<Subject, String> {
    if let Some(metric) = METRICS.iter().find(|metric| metric.name == word) {
        return Ok(Subject::Total(metric));
    }
    if word == LEVEL {
        return Ok(Subject::Level);
    }
    let Some(choice) = CHOICES.iter().find(|choice| choice.word == word) else {
        let names = METRICS.iter().map(|metric| metric.name);
        let choices = CHOICES.iter().map(|choice| choice.word);
        let names = names.chain([LEVEL, GROWTH]).chain(choices);
        return Err(no_such("metric", word, names));
    };
    cursor.expect('(')?;
    let argument = cursor.argument()?;
    cursor.expect(')')?;
    if argument.is_empty() {
        return Err(format!(
            "`{word}()` names none; write one like `{word}(\"name\").reserved > 1GiB`"
        ));
    }
    if !cursor.take(".") {
        return Err(format!(
            "after `{word}(…)` comes which of its figures: .reserved, .touched, …"
        ));
    }
    let name = cursor.word();
    let Some(figure) = FIGURES.iter().find(|figure| figure.name == name) else {
        let names = FIGURES.iter().map(|figure| figure.name);
        return Err(no_such("figure", name, names));
    };
    Ok(Subject::Part((choice.choose)(argument), figure))
}

fn limit(text: &str, subject: &Subject, growth: bool) -> Result<Limit, String> {
    if text.is_empty() {
        return Err("it ends before its limit; write one like `virtual > 30GiB`".into());
    }
    if let Some(number) = text.strip_suffix('%') {
        if !growth {
            return Err(format!(
                "{text} of what? Only a growth has a limit in %: growth(virtual) > 5%"
            ));
        }
        return match number.trim().parse::<f64>() {
            Ok(percent) if percent.is_finite() && percent >= 0.0 => Ok(Limit::Percent(percent)),
            _ => Err(format!("`{text}` is no share; write one like 5%")),
        };
    }
    match subject.unit() {
        Unit::Level if growth => Err("a level does not grow; write `level >= watch`".into()),
        Unit::Level => Level::ALL
            .into_iter()
            .find(|level| level.word() == text)
            .map(Limit::Level)
            .ok_or_else(|| no_such("level", text, Level::ALL.into_iter().map(Level::word))),
        Unit::Bytes => parse_bytes(text)
            .map(Limit::Amount)
            .ok_or_else(|| format!("`{text}` is no size; write one like 100MiB, 11GiB or 4096")),
        Unit::Count => text
            .replace([',', '_'], "")
            .parse()
            .map(Limit::Amount)
            .map_err(|_| format!("`{text}` is no number, and this metric is counted; write 1000")),
    }
}

/// What is left to read.
struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn word(&mut self) -> &'a str {
        self.skip_space();
        self.until(|letter| !(letter.is_alphanumeric() || matches!(letter, '-' | '_')))
    }

    fn until(&mut self, ends: impl Fn(char) -> bool) -> &'a str {
        let at = self.rest.find(ends).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(at);
        self.rest = rest;
        taken
    }

    fn take(&mut self, text: &str) -> bool {
        self.rest.strip_prefix(text).is_some_and(|rest| {
            self.rest = rest;
            true
        })
    }

    fn expect(&mut self, letter: char) -> Result<(), String> {
        self.skip_space();
        if self.take(letter.encode_utf8(&mut [0; 4])) {
            return Ok(());
        }
        Err(match self.rest.chars().next() {
            Some(found) => format!(
                "`{}` stands where `{letter}` is to stand",
                found.escape_debug()
            ),
            None => format!("it ends where `{letter}` is to stand"),
        })
    }

    /// Bare up to the closing bracket, or in quotes, within which `\"` and `\\` stand for themselves.
    fn argument(&mut self) -> Result<String, String> {
        self.skip_space();
        if !self.take("\"") {
            return Ok(self.until(|letter| letter == ')').trim().to_owned());
        }
        let mut argument = String::new();
        let mut letters = self.rest.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '"' => {
                    self.rest = letters.as_str();
                    return Ok(argument);
                }
                '\\' => argument.extend(letters.next()),
                _ => argument.push(letter),
            }
        }
        Err("a quote is opened and never closed".into())
    }
}
