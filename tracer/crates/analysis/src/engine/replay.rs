//! Events that were recorded as the source: into the book, and out comes the report.

use tracer_ledger::event::Event;

use crate::engine::book::Book;
use crate::model::summary::Report;
use crate::model::window::Window;
use crate::patterns::Patterns;

/// The report on this part of a trace by these patterns; `None` if there is not even its first event.
///
/// # Errors
/// The source's own, as soon as it fails.
pub fn replay<E>(
    mut events: impl Iterator<Item = Result<Event, E>>,
    patterns: Patterns,
    window: Window,
) -> Result<Option<Report>, E> {
    let Some(Event::Started(started)) = events.next().transpose()? else {
        return Ok(None);
    };
    let mut book = Book::new(started.page_bytes, patterns, window);
    book.apply(&Event::Started(started));
    for event in events {
        book.apply(&event?);
    }
    Ok(Some(book.report()))
}
