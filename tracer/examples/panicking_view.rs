//! Takes the terminal as the live view does, and then panics in another thread: for the test that a panic
//! gives the terminal back.

use std::thread;

use tracer::top::screen::{self, TakenScreen};

fn main() {
    let screen = screen::find(false).and_then(TakenScreen::take);
    let screen = screen.expect("a terminal");
    let panicked = thread::spawn(|| panic!("as it was asked to")).join();
    assert!(panicked.is_err() && !screen.is_taken());
}
