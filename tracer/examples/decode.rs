//! For `cargo xtask bench`: reads recordings, all at one time, and makes nothing of their events: what
//! `tracer report` and `tracer diff` cannot be faster than.
//!
//! `decode FILE …`

use std::{path::Path, thread};

use tracer_recording::Reader;

fn main() {
    let readers: Vec<_> = std::env::args_os()
        .skip(1)
        .map(|file| thread::spawn(move || events(Path::new(&file))))
        .collect();
    for reader in readers {
        println!("{} events", reader.join().expect("a recording can be read"));
    }
}

fn events(file: &Path) -> u64 {
    let mut reader = Reader::open(file).expect("it is a recording");
    while reader.read().expect("it is whole").is_some() {}
    reader.events()
}
