//! Reports and pages to look at, each made once.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tracer_analysis::summary::{Process, Report, Site};
use tracer_test_traces::kept;

use super::browser::Browser;

/// The recording of the real gateway: its JSON report, and its page.
pub struct Made {
    pub report: Report,
    pub page: PathBuf,
    _folder: tempfile::TempDir,
}

impl Made {
    /// The process that the page shows first.
    pub fn biggest(&self) -> &Process {
        self.in_order()[0]
    }

    /// How sites of the process that is shown first are headed, by their numbers.
    pub fn titles(&self, ids: &[u32]) -> Vec<String> {
        let sites = self.biggest().sites.iter();
        let chosen = sites.filter(|site| ids.contains(&site.id));
        chosen.map(|site| format!("Site {}", site.key)).collect()
    }

    /// In the order of the page.
    pub fn in_order(&self) -> Vec<&Process> {
        tracer_report::leading::leading(&self.report)
    }
}

/// Of the gateway.
pub fn gateway() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let report = kept::gateway().clone();
        let (page, _) = page_of(&report, folder.path());
        Made {
            report,
            page,
            _folder: folder,
        }
    })
}

/// The gateway's page in a browser.
pub fn opened() -> (Browser, &'static Made) {
    let made = gateway();
    let mut browser = Browser::start(1280, 1000);
    browser.open(&made.page);
    (browser, made)
}

/// The page of a report, and how long it is.
pub fn page_of(report: &Report, folder: &Path) -> (PathBuf, u64) {
    let mut page = Vec::new();
    tracer_report::html::write(report, &mut page).unwrap();
    let path = folder.join("made.html");
    std::fs::write(&path, &page).unwrap();
    (path, page.len() as u64)
}

/// A site's reserved and touched bytes at a moment, by its course; `None`: it has none.
pub fn at(site: &Site, t_ns: u64) -> Option<(u64, u64)> {
    if site.timeline.is_empty() {
        return None;
    }
    let before = site.timeline.iter().take_while(|point| point.t_ns <= t_ns);
    let last = before.last();
    Some(last.map_or((0, 0), |point| (point.reserved_bytes, point.touched_bytes)))
}
