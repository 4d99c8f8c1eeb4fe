//! A reader that goes before everything is written.

use std::io::{self, Write};

use tracer_report::export::{csv, flamegraph, folded, perfetto, pprof, samples::Value};

use tracer_test_traces::kept::gateway;

/// A pipe that nobody reads any more.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn that_nobody_reads_any_more_is_told_as_that() {
    let report = gateway();
    let written = [
        folded::write(report, Value::Reserved, &mut Gone).map(drop),
        flamegraph::write(report, Value::Reserved, &mut Gone),
        pprof::write(report, &mut Gone),
        perfetto::write(report, &mut Gone),
        csv::write(report, &mut Gone),
    ];
    for (format, written) in written.into_iter().enumerate() {
        let error = written.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{format}: {error}");
    }
}
