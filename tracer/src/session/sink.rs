//! Where events in order go: into the recording, into the one that is kept in memory, and into the book.

use anyhow::Result;

use tracer_analysis::book::Book;
use tracer_ledger::event::Event;
use tracer_recording::{Kept, WriteError, Writer};

pub(crate) struct Sink {
    book: Book,
    recorder: Option<Writer>,
    /// Why there is no recorder any more.
    recording: Result<()>,
    /// In memory, until that is full.
    kept: Option<Writer<Kept>>,
}

impl Sink {
    /// Into this book, and into a recording if there is to be one.
    #[must_use]
    pub(crate) fn new(book: Book, recorder: Option<Writer>, kept: Option<Writer<Kept>>) -> Self {
        Self {
            book,
            recorder,
            recording: Ok(()),
            kept,
        }
    }

    /// What was entered so far.
    #[must_use]
    pub(crate) fn book(&self) -> &Book {
        &self.book
    }

    /// Into the recording and the book.
    pub(crate) fn enter(&mut self, event: &Event) {
        self.recorded(|recorder| recorder.write(event));
        self.keep(|kept| kept.write(event));
        self.book.apply(event);
    }

    /// So that a crash loses little.
    pub(crate) fn flush(&mut self) {
        self.recorded(Writer::flush_block);
        self.keep(Writer::flush_block);
    }

    /// What is full stays as it is: whoever saves it is told.
    fn keep(&mut self, write: impl FnOnce(&mut Writer<Kept>) -> Result<(), WriteError>) {
        if let Some(kept) = &mut self.kept
            && let Err(error) = write(kept)
        {
            log::info!("no more of the recording is kept in memory: {error}");
            self.kept = None;
        }
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
    pub(crate) fn finish(self) -> Result<()> {
        if let Some(recorder) = self.recorder {
            recorder.finish()?;
        }
        self.recording
    }
}
