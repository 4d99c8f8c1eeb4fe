//! What the view shows: pure. Time comes with the snapshots.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{
    feed::Now,
    history::{History, Moment},
    letters::Letters,
    processes::{self, List, ListOrder},
    rows::{self, Baseline, Key, Order, TableRow},
};
use tracer_analysis::{
    summary::{Process, Report},
    units::duration,
};
use tracer_report::selection::By;

/// Without a mark, growth is what came in this time, ns.
const RECENT: u64 = 60_000_000_000;
/// And in this much more: not with each snapshot another one of the past is looked up, ns.
const MORE: u64 = 15_000_000_000;

/// What the main part of the screen shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MainPart {
    /// All processes.
    List,
    /// One process.
    #[default]
    Process,
}

/// What is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// The filter of the page that is shown, which acts while it is typed; kept: what it was before.
    Filter(String),
    /// A file's name.
    Save(String),
}

/// What a key asks of the world outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// End the view.
    Quit,
    /// Write the report that is shown to this file.
    Save(PathBuf),
    /// Stop, as the shell's Ctrl-Z asks.
    Suspend,
    /// End as by SIGQUIT, as the terminal's Ctrl-\ asks.
    Abort,
    /// Draw everything anew.
    Redraw,
}

/// See the module.
#[derive(Debug)]
pub struct State {
    /// What can be stepped back to.
    pub history: History,
    /// How things stand.
    pub now: Option<Now>,
    /// What is shown.
    pub page: MainPart,
    /// Of one process: which.
    pub pid: Option<u32>,
    /// The moment that is shown while the view is paused.
    pub pinned: Option<Moment>,
    /// What growth is told from.
    pub mark: Option<Moment>,
    /// The table's order and filter.
    pub order: Order,
    /// The list's.
    pub list_order: ListOrder,
    /// What is being typed.
    pub prompt: Option<Prompt>,
    /// The keys are shown.
    pub help: bool,
    /// The details have the whole screen.
    pub large: bool,
    /// Lines of the details above the first one shown.
    pub scroll: usize,
    /// Said until the next key.
    pub message: Option<String>,
    /// The trace is over.
    pub over: bool,
    /// How long ago the newest snapshot came.
    pub age: Duration,
    /// Frames are not drawn, or not taken by the terminal, as fast as they come.
    pub behind: bool,
    /// Where the command's output goes, if there is a command.
    pub output: Option<String>,
    /// The table.
    pub rows: Vec<TableRow>,
    /// Rows that the filter leaves out.
    pub left_out: usize,
    /// The list.
    pub list: List,
    /// What each kind is on the bar.
    pub letters: Letters,
    /// The selected row.
    pub cursor: usize,
    /// The selected line of the list.
    pub line: usize,
    chosen: Option<Key>,
    chosen_pid: Option<u32>,
    recent: Option<Moment>,
    begun: bool,
    /// A key has been pressed: from then on the page changes only by keys.
    pub(super) is_used: bool,
}

impl State {
    /// Nothing is known yet. `history_bytes`: see [`History::new`].
    #[must_use]
    pub fn new(history_bytes: u64, order: Order) -> Self {
        Self {
            history: History::new(history_bytes),
            now: None,
            page: MainPart::default(),
            pid: None,
            pinned: None,
            mark: None,
            order,
            list_order: ListOrder::default(),
            prompt: None,
            help: false,
            large: false,
            scroll: 0,
            message: None,
            over: false,
            age: Duration::ZERO,
            behind: false,
            output: None,
            rows: Vec::new(),
            left_out: 0,
            list: List::default(),
            letters: Letters::default(),
            cursor: 0,
            line: 0,
            chosen: None,
            chosen_pid: None,
            recent: None,
            begun: false,
            is_used: false,
        }
    }

    /// Takes a new snapshot; what is shown changes only if the view is not paused.
    pub fn take(&mut self, report: Arc<Report>) {
        if !self.begun {
            // Before the maps of the first process are read there is nothing to compare with.
            let is_empty = |process: &Process| process.virtual_bytes.end == 0;
            if !self.over && report.processes.iter().all(is_empty) {
                return;
            }
            self.begun = true;
            let list = processes::list(&report, None, &self.list_order);
            self.pid = list.lines.first().map(|line| line.pid);
        }
        self.history
            .push(report, self.pinned.as_ref().map(|moment| moment.number));
        if self.pinned.is_none() {
            self.refresh();
        }
    }

    /// The moment that is shown.
    #[must_use]
    pub fn moment(&self) -> Option<&Moment> {
        self.pinned.as_ref().or(self.history.newest())
    }

    /// The process that is shown.
    #[must_use]
    pub fn process(&self) -> Option<&Process> {
        processes::current(&self.moment()?.report, self.pid?)
    }

    /// The selected row.
    #[must_use]
    pub fn row(&self) -> Option<&TableRow> {
        self.rows.get(self.cursor)
    }

    /// What growth is told from, and since when (ns): the mark, else a minute ago as far as it is kept.
    #[must_use]
    pub fn baseline(&self) -> Option<&Moment> {
        self.mark.as_ref().or(self.recent.as_ref())
    }

    /// Finds what was about a minute before what is shown.
    fn look_back(&mut self) {
        let Some((number, t_ns)) = self.moment().map(|shown| (shown.number, shown.t_ns())) else {
            return;
        };
        let from = t_ns.saturating_sub(RECENT);
        let fits = |recent: &Moment| {
            let is_first = self
                .history
                .moments()
                .next()
                .is_some_and(|(first, _)| first == recent.number);
            let early = recent.t_ns().saturating_add(MORE) >= from;
            recent.number < number && early && (recent.t_ns() <= from || is_first)
        };
        if !self.recent.as_ref().is_some_and(fits) {
            let was = self.history.at(from).filter(|was| *was < number);
            self.recent = was.and_then(|was| self.history.get(was));
        }
    }

    /// Makes table and list anew, for the moment that is shown.
    pub fn refresh(&mut self) {
        self.look_back();
        let Some(moment) = self.moment() else {
            return;
        };
        let baseline = self.baseline().map(|moment| moment.report.as_ref());
        let list = processes::list(&moment.report, baseline, &self.list_order);
        let (rows, left_out) = match self.process() {
            Some(process) => {
                let was = match baseline.map(|then| processes::same(then, process)) {
                    None => Baseline::None,
                    Some(None) => Baseline::Before,
                    Some(Some(was)) => Baseline::Was(was),
                };
                rows::rows(process, &self.order, was)
            }
            None => (Vec::new(), 0),
        };
        if let Some(chosen) = &self.chosen
            && let Some(at) = rows.iter().position(|row| row.is(chosen))
        {
            self.cursor = at;
        }
        if let Some(at) = list
            .lines
            .iter()
            .position(|line| Some(line.pid) == self.chosen_pid)
        {
            self.line = at;
        }
        self.cursor = self.cursor.min(rows.len().saturating_sub(1));
        self.line = self.line.min(list.lines.len().saturating_sub(1));
        (self.rows, self.left_out, self.list) = (rows, left_out, list);
        if !self.is_used && self.list.all > 1 {
            self.page = MainPart::List;
        }
        let moment = self.pinned.as_ref().or(self.history.newest());
        if let Some(process) = moment
            .zip(self.pid)
            .and_then(|(moment, pid)| processes::current(&moment.report, pid))
        {
            self.letters.give(process);
        }
    }

    /// Moves the selection, which then stays with its row wherever that goes.
    pub fn select(&mut self, steps: isize) {
        let (at, length) = match self.page {
            MainPart::List => (&mut self.line, self.list.lines.len()),
            MainPart::Process => (&mut self.cursor, self.rows.len()),
        };
        *at = at
            .saturating_add_signed(steps)
            .min(length.saturating_sub(1));
        match self.page {
            MainPart::List => {
                self.chosen_pid = self.list.lines.get(self.line).map(|line| line.pid);
            }
            MainPart::Process => {
                self.chosen = self.rows.get(self.cursor).and_then(TableRow::key);
                self.scroll = 0;
            }
        }
    }

    /// Goes into the selected process.
    pub fn enter(&mut self) {
        if let Some(line) = self.list.lines.get(self.line) {
            self.chosen_pid = Some(line.pid);
            if self.pid != Some(line.pid) {
                self.pid = Some(line.pid);
                self.top();
            }
            self.page = MainPart::Process;
            self.refresh();
        }
    }

    /// Selects the first row.
    pub fn top(&mut self) {
        (self.cursor, self.chosen, self.scroll) = (0, None, 0);
    }

    /// Selects the first line of the list.
    pub fn top_of_list(&mut self) {
        (self.line, self.chosen_pid) = (0, None);
    }

    /// The filter of the page that is shown.
    #[must_use]
    pub fn filter(&self) -> &str {
        match self.page {
            MainPart::List => &self.list_order.filter,
            MainPart::Process => &self.order.filter,
        }
    }

    /// A moment of the trace (ns) by the clock of the process that is shown; of the list by the trace's.
    #[must_use]
    pub fn clock(&self, t_ns: u64) -> u64 {
        let process = self.process().filter(|_| self.page == MainPart::Process);
        t_ns.saturating_sub(process.map_or(0, |process| process.first_ns))
    }

    /// Holds what is shown, or lets it go on.
    pub fn pause(&mut self) {
        self.pinned = match self.pinned {
            Some(_) => None,
            None => self.history.newest().cloned(),
        };
        self.refresh();
    }

    /// Shows an earlier (or later) moment, and holds it.
    pub fn step(&mut self, steps: isize) {
        let Some(shown) = self.moment().map(|moment| moment.number) else {
            return;
        };
        let to = self.history.step(shown, steps);
        self.pinned = to
            .and_then(|to| self.history.get(to))
            .or(self.pinned.take());
        self.refresh();
    }

    /// Marks the moment that is shown.
    pub fn set_mark(&mut self) {
        let Some(moment) = self.moment() else {
            return;
        };
        let mark = moment.clone();
        self.message = Some(format!(
            "marked at {}: growth is told from there; M takes the mark away",
            duration(self.clock(mark.t_ns()))
        ));
        self.mark = Some(mark);
        self.refresh();
    }

    /// Groups by the next thing.
    pub fn group(&mut self) {
        self.order.by = match self.order.by {
            By::Site => By::Pattern,
            By::Pattern => By::Thread,
            By::Thread => By::Module,
            By::Module => By::Site,
        };
        self.top();
        self.refresh();
    }
}
