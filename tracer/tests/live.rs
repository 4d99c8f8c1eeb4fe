//! live
use tracer::capture::{
    programs::{Options, Programs},
    ring::{Drained, Ring},
};
use tracer::event::{Pid, decode::Decoder};
use tracer_common::settings::FaultMode;

#[test]
fn loads() {
    let rt = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _g = rt.enter();
    let mut programs = Programs::load(Options::default()).unwrap_or_else(|e| panic!("{e:#}"));
    let mut ring = Ring::new(programs.ring().unwrap()).unwrap();
    programs
        .attach(FaultMode::Each)
        .unwrap_or_else(|e| panic!("{e:#}"));
    programs.select(Pid(std::process::id()), true).unwrap();
    std::process::Command::new("/bin/ls").status().unwrap();
    let mut drained = Drained::default();
    let mut decoder = Decoder::default();
    ring.drain(100000, &mut drained);
    println!("{:?} {}", drained.seen_until, drained.records.len());
    for r in &drained.records {
        println!("{:?}", decoder.decode(r.clone()).unwrap());
    }
    println!("{:?}", programs.counts().unwrap());
}
