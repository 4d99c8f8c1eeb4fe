//! Programs in C, compiled for one test.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Options for optimised code of which each function keeps its own frame: as distributions' code is, and as it is
/// with frame pointers.
pub const NO_FRAME_POINTERS: [&str; 3] =
    ["-O2", "-fomit-frame-pointer", "-fno-optimize-sibling-calls"];
pub const FRAME_POINTERS: [&str; 3] = [
    "-O2",
    "-fno-omit-frame-pointer",
    "-fno-optimize-sibling-calls",
];

/// Compiles a program into a folder with the system's C compiler.
pub fn compile(folder: &Path, source: &str, options: &[&str]) -> PathBuf {
    let (text, program) = (folder.join("program.c"), folder.join("program"));
    fs::write(&text, source).unwrap();
    let status = Command::new("cc")
        .args(["-g", "-O1", "-pthread"])
        .args(options)
        .arg(&text)
        .arg("-o")
        .arg(&program)
        .status()
        .unwrap();
    assert!(status.success(), "cc: {status}");
    program
}
