//! Where what was built lies.

use std::path::{Path, PathBuf};

/// The tool.
#[must_use]
pub fn program(workspace: &Path) -> PathBuf {
    release(workspace).join("tracer")
}

/// An example of the package `tracer`.
#[must_use]
pub fn example(workspace: &Path, name: &str) -> PathBuf {
    release(workspace).join("examples").join(name)
}

fn release(workspace: &Path) -> PathBuf {
    workspace.join("target/release")
}
