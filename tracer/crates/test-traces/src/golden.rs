//! Comparison with a file under `tests/golden` of the package whose test runs.

use std::env;
use std::fs;
use std::path::Path;

/// Fails if `text` is not what the golden file says; writes it with `UPDATE_GOLDEN=1`.
#[track_caller]
pub fn check(name: &str, text: &str) {
    let path = Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap())
        .join("tests/golden")
        .join(name);
    if env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write(&path, text).unwrap();
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    if golden == text {
        return;
    }
    let differing = golden
        .lines()
        .zip(text.lines())
        .position(|(old, new)| old != new)
        .unwrap_or_else(|| golden.lines().count().min(text.lines().count()));
    panic!(
        "{name} differs from line {}:\n  golden: {:?}\n  now:    {:?}",
        differing + 1,
        golden.lines().nth(differing),
        text.lines().nth(differing)
    );
}
