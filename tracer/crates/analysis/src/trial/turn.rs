//! How a knob is turned for one run: variables and arguments that the command is started with.

use std::ffi::{OsStr, OsString};

use super::knob::{self, Knob};
use super::size::{self, Chosen};
use crate::model::summary::{Process, Remedy};
use crate::words::names::last_part;
use crate::words::shell::quoted;

/// Variables that hold options one behind the other, and what stands between two of them.
const LISTS: [(&str, &str); 6] = [
    ("MALLOC_CONF", ","),
    ("OCAMLRUNPARAM", ","),
    ("GODEBUG", ","),
    ("GLIBC_TUNABLES", ":"),
    ("GHCRTS", " "),
    ("LD_PRELOAD", ":"),
];
/// Runtimes, as their names begin, that take options out of a variable too: so they reach them through scripts.
const VARIABLES: [(&str, &str); 3] = [
    ("java", "JAVA_TOOL_OPTIONS"),
    ("node", "NODE_OPTIONS"),
    ("beam", "ERL_FLAGS"),
];

/// What the command is started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turned {
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// Variables, with their whole values.
    pub environment: Vec<(OsString, OsString)>,
    /// The knob as it is set: a placeholder has become a size.
    pub set: String,
    /// How, where that is not plain.
    pub how: Option<String>,
    /// The process's mapped bytes then, where the size that was chosen tells; else what was foretold.
    pub predicted_virtual_bytes: Option<u64>,
}

/// Turns a knob that was offered for this process. `inherited`: a variable as it is now.
///
/// # Errors
/// Why it cannot be tried, in words.
pub fn turn(
    remedy: &Remedy,
    process: &Process,
    command: &[OsString],
    inherited: impl Fn(&str) -> Option<OsString>,
) -> Result<Turned, String> {
    if let Some(word) = knob::unknown_word(&remedy.knob) {
        return Err(format!(
            "what {word} is to be nobody can know: --knob tries it"
        ));
    }
    let parsed = knob::parse(&remedy.knob)?;
    let kinds = &process.verdict.kinds;
    let kind = kinds
        .iter()
        .find(|kind| kind.knob.as_ref() == Some(&remedy.knob));
    let chosen = size::choose(&words_of(&parsed), process, kind)?;
    let knob = filled(parsed, chosen);
    let mut turned = Turned {
        command: command.to_vec(),
        predicted_virtual_bytes: chosen.map_or(remedy.predicted_virtual_bytes, |chosen| {
            chosen.predicted_virtual_bytes
        }),
        ..Turned::default()
    };
    let mut how = Vec::new();
    let mut set: Vec<String> = Vec::new();
    for (name, value) in &knob.variables {
        let separator = separator(name, value);
        how.extend(turned.put(name, value, separator, inherited(name)));
        set.push(format!("{name}={}", quoted(value)));
    }
    if !knob.options.is_empty() {
        set.push(knob.options.join(" "));
        let before = inherited_options(&knob, process, &inherited);
        how.push(turned.options(&knob, process, before)?);
    }
    turned.set = set.join(" ");
    turned.how = (!how.is_empty()).then(|| how.join("; "));
    Ok(turned)
}

type Variable = (&'static str, Option<OsString>);

/// The variable that the process's runtime takes these options out of, and its value now.
fn inherited_options(
    knob: &Knob,
    process: &Process,
    inherited: impl Fn(&str) -> Option<OsString>,
) -> Option<Variable> {
    let name = if knob.options.first().is_some_and(|word| word == "+RTS") {
        "GHCRTS"
    } else {
        let runtime = process.runtime.as_deref().unwrap_or_default();
        let is_runtime =
            |name: &str| runtime.starts_with(name) || last_part(&process.exe).starts_with(name);
        let (_, variable) = VARIABLES.iter().find(|(name, _)| is_runtime(name))?;
        variable
    };
    Some((name, inherited(name)))
}

impl Turned {
    /// Sets a variable; says so if it had a value.
    fn put(
        &mut self,
        name: &str,
        value: &str,
        separator: Option<&str>,
        before: Option<OsString>,
    ) -> Option<String> {
        let mut whole = OsString::new();
        let mut how = None;
        if let Some(before) = before.filter(|before| !before.is_empty()) {
            let shown = before.to_string_lossy().into_owned();
            how = Some(match separator {
                Some(separator) => {
                    whole.push(before);
                    whole.push(separator);
                    format!("behind what {name} holds already, {shown}")
                }
                None => format!("instead of {name}={shown}"),
            });
        }
        whole.push(value);
        self.environment.push((name.into(), whole));
        how
    }

    /// Puts options where the program finds them: in the place of the same one, in the runtime's variable, or behind
    /// the program's name.
    fn options(
        &mut self,
        knob: &Knob,
        process: &Process,
        variable: Option<Variable>,
    ) -> Result<String, String> {
        if let Some(how) = self.replace(&knob.options) {
            return Ok(how);
        }
        if let Some((name, before)) = variable {
            let options: Vec<&str> = knob
                .options
                .iter()
                .map(String::as_str)
                .filter(|word| name != "GHCRTS" || !matches!(*word, "+RTS" | "-RTS"))
                .collect();
            let behind = self.put(name, &options.join(" "), Some(" "), before);
            return Ok(match behind {
                Some(behind) => format!("in {name}, {behind}"),
                None => format!("in {name}"),
            });
        }
        let names: Vec<&str> = match &knob.program {
            Some(program) => vec![program],
            None => [process.exe.as_str(), &process.comm]
                .into_iter()
                .chain(process.cmdline.first().map(String::as_str))
                .map(last_part)
                .filter(|name| !name.is_empty())
                .collect(),
        };
        let is_program = |word: &OsString| {
            names.iter().any(|name| {
                let word = word.to_string_lossy();
                last_part(&word) == *name
            })
        };
        let Some(at) = self.command.iter().position(is_program) else {
            let name = names.first().unwrap_or(&"the program");
            return Err(format!(
                "it belongs behind the name {name}, which the command does not have: put it there"
            ));
        };
        let shown = self.command[at].to_string_lossy().into_owned();
        let options = knob.options.iter().map(OsString::from);
        self.command.splice(at + 1..at + 1, options);
        Ok(format!("behind {shown}"))
    }

    /// A single option that the command has already, with another value.
    fn replace(&mut self, options: &[String]) -> Option<String> {
        let [option] = options else {
            return None;
        };
        let stem = stem(option)?;
        let is_same = |word: &OsString| word.as_encoded_bytes().starts_with(stem.as_bytes());
        // The last one is the one that counts.
        let at = self.command.iter().rposition(is_same)?;
        let shown = self.command[at].to_string_lossy().into_owned();
        self.command[at] = option.into();
        Some(format!("instead of {shown}"))
    }
}

/// An option without its value: `-Xmx`, `-XX:MaxMetaspaceSize=`; `None`: it has none.
fn stem(option: &str) -> Option<&str> {
    let end = option
        .find('=')
        .map(|at| at + 1)
        .or_else(|| option.find(|c: char| c.is_ascii_digit()))?;
    Some(&option[..end])
}

/// What stands between two values of a variable; `None`: it holds one value only.
fn separator(name: &str, value: &str) -> Option<&'static str> {
    let known = LISTS.iter().find(|(list, _)| name.ends_with(list));
    match known {
        Some((_, separator)) => Some(separator),
        None => knob::is_option(value).then_some(" "),
    }
}

fn words_of(knob: &Knob) -> Vec<&str> {
    let values = knob.variables.iter().map(|(_, value)| value.as_str());
    values
        .chain(knob.options.iter().map(String::as_str))
        .collect()
}

/// With the size in the place of every placeholder.
fn filled(mut knob: Knob, chosen: Option<Chosen>) -> Knob {
    let Some(Chosen { size, .. }) = chosen else {
        return knob;
    };
    for (name, value) in &mut knob.variables {
        let stem = format!("{name}={value}");
        let whole = size::filled(&stem, None, size);
        *value = whole[name.len() + 1..].into();
    }
    let before = knob.options.clone();
    for (at, word) in knob.options.iter_mut().enumerate() {
        let before = at.checked_sub(1).map(|at| before[at].as_str());
        *word = size::filled(word, before, size);
    }
    knob
}

/// The words of a command as they are shown.
#[must_use]
pub fn shown(command: &[OsString]) -> Vec<String> {
    let lossy = |word: &OsString| OsStr::to_string_lossy(word).into_owned();
    command.iter().map(lossy).collect()
}
