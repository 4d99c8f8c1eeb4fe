//! Where a text goes on the terminal, and how it looks there.

use std::io::IsTerminal as _;

use crate::cli::{Color, Look};

/// One of our streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    /// Standard error, because standard output is the command's.
    Stderr,
}

impl Stream {
    /// Whether a terminal is at its other end.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => std::io::stdout().is_terminal(),
            Self::Stderr => std::io::stderr().is_terminal(),
        }
    }

    /// Whether to use colours there (<https://no-color.org>).
    fn color(self, when: Color) -> bool {
        match when {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                self.is_terminal() && !refused
            }
        }
    }
}

/// Where a text goes, and how it looks there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Where it goes.
    pub stream: Stream,
    /// Whether it may have colours.
    pub color: bool,
    columns: Option<usize>,
}

impl Screen {
    /// As asked for that stream.
    #[must_use]
    pub fn new(look: &Look, stream: Stream) -> Self {
        Self {
            stream,
            color: stream.color(look.color),
            columns: look.width,
        }
    }

    /// Columns to fill there: as asked, else the terminal's, else 100. To be called when something is printed: a
    /// terminal may have got another size while a trace ran.
    #[must_use]
    pub fn width(&self) -> usize {
        let terminal = || {
            let size = match self.stream {
                Stream::Stdout => rustix::termios::tcgetwinsize(std::io::stdout()),
                Stream::Stderr => rustix::termios::tcgetwinsize(std::io::stderr()),
            };
            size.ok()
                .map(|size| usize::from(size.ws_col))
                .filter(|columns| *columns > 0)
        };
        self.columns.or_else(terminal).unwrap_or(100)
    }
}
