//! The tool: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    tracer::run()
}
