//! What each key does.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    processes::ListColumn,
    rows::Column,
    state::{Action, MainPart, Prompt, State},
};

/// The keys, as the help tells them.
pub const KEYS: &[(&str, &str)] = &[
    ("↑ ↓  k j", "select a line; Home End: the first, the last"),
    ("Enter", "into the process; its details on the whole screen"),
    (
        "Esc",
        "back: from details, from the filter, to the processes",
    ),
    ("PgUp PgDn", "scroll the details"),
    ("1 … 7", "sort by that column; again: the other way round"),
    ("s  r", "sort by the next column; the other way round"),
    ("g", "group by site, kind, thread, module"),
    (
        "t  e",
        "of the list: as a tree; without those that have ended",
    ),
    (
        "/",
        "only what has these letters in name, stack, thread, kind, command",
    ),
    (
        "space",
        "pause; again: go on (the trace goes on all the time)",
    ),
    (
        "← →  , .",
        "a step back and forward in time, as far as it is kept",
    ),
    (
        "m  M",
        "mark this moment: growth is told from it; M: no mark",
    ),
    (
        "w",
        "write what is shown to a file, by its ending; .vmt: the recording",
    ),
    ("Ctrl-L", "draw the screen anew"),
    (
        "Ctrl-Z",
        "stop, as any program; meanwhile events may be lost",
    ),
    (
        "q  Ctrl-C",
        "end tracing and view; a command started here is ended",
    ),
];

/// Lines that a page of details moves by.
const PAGE: usize = 10;

impl State {
    /// Does what the key says; what it asks of the world outside comes back.
    pub fn key(&mut self, key: KeyEvent) -> Option<Action> {
        self.message = None;
        self.is_used = true;
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Some(Action::Quit),
                KeyCode::Char('z') => Some(Action::Suspend),
                KeyCode::Char('l') => Some(Action::Redraw),
                // A terminal sends the same byte for both.
                KeyCode::Char('\\' | '4') => Some(Action::Abort),
                _ => None,
            };
        }
        if let Some(prompt) = self.prompt.take() {
            return self.typed(prompt, key.code);
        }
        if self.help {
            self.help = false;
            return (key.code == KeyCode::Char('q')).then_some(Action::Quit);
        }
        match key.code {
            KeyCode::Char('q') => return Some(Action::Quit),
            KeyCode::Char('?' | 'h') => self.help = true,
            KeyCode::Up | KeyCode::Char('k') => self.select(-1),
            KeyCode::Down | KeyCode::Char('j') => self.select(1),
            KeyCode::Home => self.select(isize::MIN),
            KeyCode::End => self.select(isize::MAX),
            KeyCode::PageUp => self.scroll = self.scroll.saturating_sub(PAGE),
            KeyCode::PageDown => self.scroll += PAGE,
            KeyCode::Enter => match self.page {
                MainPart::List => self.enter(),
                MainPart::Process => (self.large, self.scroll) = (!self.large, 0),
            },
            KeyCode::Esc => self.back(),
            KeyCode::Char(' ') => self.pause(),
            KeyCode::Left | KeyCode::Char(',') => self.step(-1),
            KeyCode::Right | KeyCode::Char('.') => self.step(1),
            KeyCode::Char('m') => self.set_mark(),
            KeyCode::Char('M') => {
                self.mark = None;
                self.refresh();
            }
            KeyCode::Char('/') => self.prompt = Some(Prompt::Filter(self.filter().into())),
            KeyCode::Char('w') => self.prompt = Some(Prompt::Save(String::new())),
            KeyCode::Char(letter) => match self.page {
                MainPart::List => self.key_of_list(letter),
                MainPart::Process => self.key_of_table(letter),
            },
            _ => {}
        }
        None
    }

    fn key_of_table(&mut self, key: char) {
        match key {
            'g' => self.group(),
            's' => self.sort(self.order.column.next()),
            'r' => self.sort(self.order.column),
            '1'..='7' => self.sort(Column::ALL[key as usize - '1' as usize]),
            _ => {}
        }
    }

    fn key_of_list(&mut self, key: char) {
        match key {
            's' => self.sort_list(self.list_order.column.next()),
            'r' => self.sort_list(self.list_order.column),
            '0'..='5' => self.sort_list(ListColumn::ALL[key as usize - '0' as usize]),
            't' => {
                self.list_order.tree = !self.list_order.tree;
                self.refresh();
            }
            'e' => {
                self.list_order.only_alive = !self.list_order.only_alive;
                self.refresh();
            }
            _ => {}
        }
    }

    fn back(&mut self) {
        if self.large {
            self.large = false;
        } else if !self.filter().is_empty() {
            self.set_filter(String::new());
        } else {
            self.page = MainPart::List;
        }
    }

    fn sort(&mut self, column: Column) {
        let again = self.order.column == column;
        self.order.reverse = again && !self.order.reverse;
        self.order.column = column;
        self.top();
        self.refresh();
    }

    fn sort_list(&mut self, column: ListColumn) {
        let order = &mut self.list_order;
        order.reverse = order.column == column && !order.reverse;
        order.column = column;
        self.top_of_list();
        self.refresh();
    }

    fn set_filter(&mut self, text: String) {
        match self.page {
            MainPart::List => {
                self.list_order.filter = text;
                self.top_of_list();
            }
            MainPart::Process => {
                self.order.filter = text;
                self.top();
            }
        }
        self.refresh();
    }

    fn typed(&mut self, prompt: Prompt, key: KeyCode) -> Option<Action> {
        match prompt {
            Prompt::Filter(before) => {
                let mut text = self.filter().to_owned();
                match key {
                    KeyCode::Enter => {}
                    KeyCode::Esc => self.set_filter(before),
                    key => {
                        edit(&mut text, key);
                        self.set_filter(text);
                        self.prompt = Some(Prompt::Filter(before));
                    }
                }
                None
            }
            Prompt::Save(mut name) => match key {
                KeyCode::Esc => None,
                KeyCode::Enter if name.is_empty() => None,
                KeyCode::Enter => Some(Action::Save(name.into())),
                key => {
                    edit(&mut name, key);
                    self.prompt = Some(Prompt::Save(name));
                    None
                }
            },
        }
    }
}

fn edit(text: &mut String, key: KeyCode) {
    match key {
        KeyCode::Char(letter) => text.push(letter),
        KeyCode::Backspace => {
            text.pop();
        }
        _ => {}
    }
}
