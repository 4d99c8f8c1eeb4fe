//! Budgets as JUnit XML, as Jenkins, GitLab and others read it: each is a test, a broken one a failure, one that
//! could not be measured an error.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::github::details;
use super::{SitesById, measured, state};
use crate::text::line::escape;
use tracer_analysis::budget::model::{Outcome, State};
use tracer_analysis::summary::Report;

const NAME: &str = "tracer check";

/// Writes them.
///
/// # Errors
/// Those of `out`.
pub fn write(outcome: &Outcome, report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut sites = SitesById::of(report);
    let mut suite = TestSuite::new(NAME);
    suite.set_time(Duration::from_nanos(report.duration_ns));
    for budget in &outcome.budgets {
        let mut text = measured(budget);
        let status = match budget.state {
            State::Within => TestCaseStatus::success(),
            State::Over => failed(NonSuccessKind::Failure, state(budget.state), &text),
            State::Unmeasured => failed(NonSuccessKind::Error, state(budget.state), &text),
        };
        let mut case = TestCase::new(escape(&budget.expression), status);
        case.set_classname(NAME);
        text.push_str(&details(budget, &mut sites));
        case.set_system_out(text);
        suite.add_test_case(case);
    }
    for trouble in &outcome.trouble {
        let trouble = escape(trouble);
        let status = failed(NonSuccessKind::Error, state(State::Unmeasured), &trouble);
        let mut case = TestCase::new("the measurement", status);
        case.set_classname(NAME);
        suite.add_test_case(case);
    }
    let mut junit = Junit::new(NAME);
    junit.add_test_suite(suite);
    junit.serialize(&mut *out).map_err(io::Error::other)
}

fn failed(kind: NonSuccessKind, what: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(what).set_message(text);
    status
}
