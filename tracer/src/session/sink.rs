//! Where events in order go: into the recording, and into the book.

use anyhow::Result;

use super::book::Book;
use crate::{
    capture::recording::{WriteError, Writer},
    event::Event,
};

/// See the module.
pub struct Sink {
    book: Book,
    recorder: Option<Writer>,
    /// Why there is no recorder any more.
    recording: Result<()>,
}

impl Sink {
    /// Into this book, and into a recording if there is to be one.
    #[must_use]
    pub fn new(book: Book, recorder: Option<Writer>) -> Self {
        Self {
            book,
            recorder,
            recording: Ok(()),
        }
    }

    /// What was entered so far.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Into the recording and the book.
    pub fn enter(&mut self, event: &Event) {
        self.recorded(|recorder| recorder.write(event));
        self.book.apply(event);
    }

    /// So that a crash loses little.
    pub fn flush(&mut self) {
        self.recorded(Writer::flush_block);
    }

    /// A recording that fails ends; the trace goes on.
    fn recorded(&mut self, write: impl FnOnce(&mut Writer) -> Result<(), WriteError>) {
        if let Some(recorder) = &mut self.recorder
            && let Err(error) = write(recorder)
        {
            log::error!("{error}; tracing goes on without the recording");
            self.recorder = None;
            self.recording = Err(error.into());
        }
    }

    /// Ends the recording; an error says why it is not whole.
    pub fn finish(self) -> Result<()> {
        if let Some(recorder) = self.recorder {
            recorder.finish()?;
        }
        self.recording
    }
}
