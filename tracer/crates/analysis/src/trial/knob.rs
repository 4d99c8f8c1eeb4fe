//! A knob as it is printed, taken apart: variables of the environment, or options, and what is no part of it.

/// A knob, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Knob {
    /// Names and values.
    pub(super) variables: Vec<(String, String)>,
    /// The program that the options are for, if it is named.
    pub(super) program: Option<String>,
    /// Options and their arguments.
    pub(super) options: Vec<String>,
}

/// Words that begin what is set for the machine, a shell or a control group.
const OF_THE_SYSTEM: [&str; 3] = ["ulimit", "sysctl", "prlimit"];
/// How the names of such settings begin (`Documentation/admin-guide/sysctl`, `cgroup-v2.rst`).
const SETTINGS: [&str; 5] = ["vm.", "kernel.", "fs.", "pids.", "memory."];
/// What stands for a size or a number that is to be chosen, at the end of a word.
pub(super) const PLACEHOLDERS: [&str; 6] = ["SIZE", "BYTES", "KIB", "MIB", "GIB", "MB"];

/// Takes it apart.
///
/// # Errors
/// Why it cannot be turned for one run, in words.
pub(super) fn parse(text: &str) -> Result<Knob, String> {
    // A note stands in brackets, or another way behind a comma.
    let plain = [" (", ", or ", " or "]
        .iter()
        .fold(text, |text, end| text.split(end).next().unwrap_or(text))
        .trim();
    let words = words(plain);
    let first = words.first().ok_or("it is empty")?;
    if OF_THE_SYSTEM.contains(&first.as_str())
        || SETTINGS.iter().any(|setting| first.starts_with(setting))
    {
        return Err("a limit of the system, the shell or a control group is left as it is".into());
    }
    if words.iter().any(|word| word == "=") {
        return Err("it is set in a file of the program's".into());
    }
    let mut knob = Knob::default();
    let mut rest = words.iter().peekable();
    while let Some((name, value)) = rest.peek().and_then(|word| variable(word)) {
        knob.variables.push((name.into(), value.into()));
        rest.next();
    }
    knob.program = rest.next_if(|word| !is_option(word)).cloned();
    knob.options = rest.cloned().collect();
    if knob.program.is_some() && !knob.options.first().is_some_and(|word| is_option(word)) {
        return Err("it is neither a variable of the environment nor an option".into());
    }
    Ok(knob)
}

/// The first word of a knob that stands for something only its reader knows: neither a size nor a number of units.
pub(super) fn unknown_word(knob: &str) -> Option<&str> {
    let at = knob.find('<')?;
    let end = knob[at..].find('>')?;
    Some(&knob[at..=at + end])
}

/// `NAME=value`, the name as POSIX has them.
fn variable(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let begins = name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    (is_name && begins).then_some((name, value))
}

/// `-x`, `--x`; `+x` of Erlang's and GHC's.
pub(super) fn is_option(word: &str) -> bool {
    word.starts_with(['-', '+'])
}

/// The words of a line as a shell takes them: quotes, and nothing else of a shell's.
fn words(line: &str) -> Vec<String> {
    let (mut all, mut word, mut quote) = (Vec::new(), String::new(), None);
    for letter in line.chars() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, ' ') => all.push(std::mem::take(&mut word)),
            _ => word.push(letter),
        }
    }
    all.push(word);
    all.retain(|word| !word.is_empty());
    all
}
