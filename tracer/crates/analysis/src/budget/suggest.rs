//! What a word that is not known could have been meant to be.

/// `there is no metric `vitual`; do you mean `virtual`?`.
pub fn no_such<'a>(what: &str, word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let near = near(word, &known);
    let list = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        words.join(", ")
    };
    let word: String = word.chars().flat_map(char::escape_debug).collect();
    if near.is_empty() {
        format!("there is no {what} `{word}`; there are {}", list(&known))
    } else {
        format!("there is no {what} `{word}`; near to it: {}", list(&near))
    }
}

/// Those that may be meant, the nearest first.
fn near<'a>(word: &str, known: &[&'a str]) -> Vec<&'a str> {
    const NAMED: usize = 3;
    let mut near: Vec<(usize, &str)> = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(word, name), *name))
        .filter(|(distance, name)| {
            let part = word.len() >= 3 && name.contains(word);
            part || *distance <= (name.len().min(word.len()) / 3).max(1)
        })
        .collect();
    near.sort();
    near.into_iter().take(NAMED).map(|(_, name)| name).collect()
}
