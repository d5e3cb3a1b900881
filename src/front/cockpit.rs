//! What the cockpit shows and what it told: the stage, the verdicts as they fall, and what is asked of the person now.
//!
//! A board without any clock or network: the agent writes on it, the listener carries it to the page.

use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::report::Report;
use crate::run::{Ended, Progress};

/// Where the run of the browser stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// No visit is under way.
    #[default]
    Idle,
    /// The person has to open the second window.
    Opening,
    /// The second window makes a visit.
    Hop,
    /// The server asks something that only the person can answer.
    NeedsPerson,
    /// The window is silent, and it is being found out why.
    SilentTimeout,
    /// The cockpit leads the window by its handle.
    RescueHandle,
    /// The handle is of no use: a click opens a new window.
    RescueClick,
    /// Nobody clicks: the operating system opens a tab.
    RescueOs,
    /// All is over.
    Done,
}

/// What a button of the cockpit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Opens the second window.
    Open,
    /// Brings it to the front.
    Show,
    /// Makes the step once more.
    Repeat,
    /// Has the operating system open each step in a tab of its own.
    Tabs,
    /// Asks nothing more of the person.
    Stop,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Button {
    /// What it does.
    pub act: Act,
    /// What it says.
    pub label: &'static str,
}

impl Act {
    /// A button with this label.
    pub fn labelled(self, label: &'static str) -> Button {
        Button { act: self, label }
    }
}

/// What is asked of the person now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ask {
    /// In words.
    pub text: String,
    /// The buttons, the one that is meant first.
    pub buttons: Vec<Button>,
}

impl Ask {
    /// Something to read, and nothing to press.
    pub fn nothing(text: impl Into<String>) -> Self {
        Self { text: text.into(), buttons: Vec::new() }
    }
}

/// What the cockpit told, as far as somebody waits for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// How often the second window was opened.
    pub(super) opened: u64,
    /// The browser blocked it when it was opened last.
    pub(super) blocked: bool,
    /// The handle says that the window is closed: that, or the server cut it off.
    pub(super) closed: bool,
    /// How often a step was to be made once more.
    pub(super) repeats: u64,
    /// Each step in a tab of its own.
    pub(super) tabs: bool,
    /// Nothing more is to be asked.
    pub(super) stop: bool,
    /// The last order to lead the window that was carried out.
    pub(super) led: u64,
    /// The whole report was fetched.
    pub(super) read: bool,
}

/// A verdict on the board.
#[derive(Debug, Clone, Serialize)]
struct Line {
    id: String,
    title: String,
    result: Value,
    message: String,
    #[serde(skip)]
    written: u64,
}

/// The board.
#[derive(Debug, Default)]
pub(super) struct Board {
    phase: Phase,
    ask: Ask,
    /// When the time to answer is over.
    until: Option<Instant>,
    server: String,
    stage: String,
    /// Checks of the stage: ended, and in all.
    checks: (usize, usize),
    /// What the second window is used for.
    purpose: String,
    pub(super) progress: (usize, usize),
    notes: Vec<String>,
    lines: Vec<Line>,
    written: u64,
    /// The last order to lead the window.
    lead: u64,
    /// The cockpit that is served; older ones are let go.
    newest: u64,
    watching: usize,
    pub(super) told: Told,
    ending: Option<Value>,
    /// The whole report, once there is one.
    pub(super) html: String,
}

impl Board {
    /// Shows where the run stands and what is asked.
    pub(super) fn show(&mut self, phase: Phase, ask: Ask) {
        self.phase = phase;
        self.ask = ask;
    }

    /// Where the run stands and what is asked.
    pub(super) fn shown(&self) -> (Phase, &Ask) {
        (self.phase, &self.ask)
    }

    /// Tells at which server, and for what, the next visit is made.
    pub(super) fn visiting(&mut self, server: &str, purpose: &str) {
        self.server = server.to_owned();
        self.purpose = purpose.to_owned();
    }

    /// Something the person should know, once.
    pub(super) fn note(&mut self, note: &str) {
        if self.notes.len() < 20 && !self.notes.iter().any(|n| n == note) {
            self.notes.push(note.to_owned());
        }
    }

    pub(super) fn hear(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Begins(stage, checks) => {
                self.stage = stage.to_owned();
                self.checks = (0, checks);
            }
            Progress::Ended(ended) => {
                self.checks.0 = (self.checks.0 + 1).min(self.checks.1);
                self.write(ended);
            }
            Progress::Says(text) => self.note(text),
        }
    }

    fn write(&mut self, ended: Ended<'_>) {
        self.written += 1;
        let line = Line {
            id: ended.id.to_owned(),
            title: ended.title.to_owned(),
            result: json!(ended.result),
            message: ended.message.to_owned(),
            written: self.written,
        };
        match self.lines.iter_mut().find(|l| l.id == line.id) {
            Some(old) => *old = line,
            None => self.lines.push(line),
        }
    }

    /// The end: the whole report, and where it can be read at length.
    pub(super) fn end(&mut self, report: &Report) {
        for check in &report.checks {
            let known = self.lines.iter().any(|l| {
                l.id == check.id && l.message == check.message && l.result.as_str() == json!(check.result).as_str()
            });
            if !known {
                let (id, title, message) = (check.id, check.title, check.message.as_str());
                self.write(Ended { id, title, result: check.result, message });
            }
        }
        self.html = crate::report::html::render(report);
        let stopped = report.stopped.as_ref().map(|s| json!({ "error": s.error, "hint": s.hint }));
        self.ending = Some(json!({
            "summary": report.summary,
            "target": report.target.resource.as_deref().or(report.target.issuer.as_deref()),
            "seconds": report.duration_ms / 1000,
            "stopped": stopped,
            "left_behind": report.left_behind,
            "remarks": report.remarks,
            "page": "report",
        }));
        self.show(Phase::Done, Ask::nothing("The audit is over. Both windows can be closed."));
    }

    /// Whether the end was written.
    pub(super) fn is_over(&self) -> bool {
        self.ending.is_some()
    }

    /// Orders the cockpit to lead the window to where the next hop is fetched.
    pub(super) fn lead(&mut self) -> u64 {
        self.lead += 1;
        self.lead
    }

    /// A cockpit begins to watch; it is the one from now on.
    pub(super) fn enter(&mut self) -> u64 {
        self.watching += 1;
        self.newest += 1;
        self.newest
    }

    pub(super) fn leave(&mut self) {
        self.watching = self.watching.saturating_sub(1);
    }

    pub(super) fn is_newest(&self, cockpit: u64) -> bool {
        self.newest == cockpit
    }

    /// Whether somebody has the cockpit open.
    pub(super) fn is_watched(&self) -> bool {
        self.watching > 0
    }

    /// What the page tells, by a name and a number.
    pub(super) fn hear_page(&mut self, told: &Value) {
        if let Some(closed) = told["closed"].as_bool() {
            self.told.closed = closed;
        }
        if let Some(led) = told["led"].as_u64() {
            self.told.led = self.told.led.max(led.min(self.lead));
        }
        match told["act"].as_str() {
            Some("opened") => {
                self.told.opened += 1;
                self.told.blocked = false;
                self.told.closed = false;
            }
            Some("blocked") => self.told.blocked = true,
            Some("repeat") => self.told.repeats += 1,
            Some("tabs") => self.told.tabs = true,
            Some("stop") => self.told.stop = true,
            Some("read") => self.told.read = true,
            _ => {}
        }
    }

    /// Until when there is time to answer, while something is asked.
    pub(super) fn waits_until(&mut self, until: Option<Instant>) {
        self.until = until;
    }

    /// Everything but the verdicts.
    pub(super) fn view(&self) -> Value {
        let left = |until: Instant| until.saturating_duration_since(Instant::now()).as_secs();
        json!({
            "phase": self.phase,
            "ask": self.ask,
            "seconds": self.until.filter(|_| !self.ask.buttons.is_empty()).map(left),
            "blocked": self.told.blocked,
            "server": self.server,
            "stage": self.stage,
            "checks": [self.checks.0, self.checks.1],
            "purpose": self.purpose,
            "progress": [self.progress.0, self.progress.1],
            "notes": self.notes,
            "lead": self.lead,
            "led": self.told.led,
            "opened": self.told.opened > 0,
            "ending": self.ending,
        })
    }

    /// The verdicts that were written after this many, and how many were written by now.
    pub(super) fn lines_after(&self, seen: u64) -> (Vec<Value>, u64) {
        let fresh = self.lines.iter().filter(|l| l.written > seen).map(|l| json!(l)).collect();
        (fresh, self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ResultKind;

    fn ended(id: &'static str, result: ResultKind) -> Progress<'static> {
        Progress::Ended(Ended { id, title: "It holds", result, message: "seen" })
    }

    #[test]
    fn a_verdict_that_is_taken_back_is_sent_again_in_its_place() {
        let mut board = Board::default();
        board.hear(Progress::Begins("documents", 2));
        board.hear(ended("a/b", ResultKind::Pass));
        board.hear(ended("c/d", ResultKind::Fail));
        let (lines, seen) = board.lines_after(0);
        assert_eq!(lines.len(), 2);
        assert_eq!(board.view()["checks"], json!([2, 2]));
        board.hear(ended("a/b", ResultKind::Inconclusive));
        let (lines, _) = board.lines_after(seen);
        assert_eq!(lines, [json!({ "id": "a/b", "title": "It holds", "result": "inconclusive", "message": "seen" })]);
        assert_eq!(board.lines_after(0).0.len(), 2);
    }

    #[test]
    fn the_youngest_cockpit_is_the_one() {
        let mut board = Board::default();
        let (first, second) = (board.enter(), board.enter());
        assert!(!board.is_newest(first) && board.is_newest(second) && board.is_watched());
        board.leave();
        assert!(board.is_watched());
        board.leave();
        assert!(!board.is_watched());
    }

    #[test]
    fn a_page_tells_no_more_than_there_is() {
        let mut board = Board::default();
        board.lead();
        board.hear_page(&json!({ "led": 900, "closed": true, "act": "format the disk" }));
        assert_eq!(board.told, Told { led: 1, closed: true, ..Told::default() });
        board.hear_page(&json!({ "act": "opened" }));
        assert_eq!(board.told, Told { led: 1, opened: 1, ..Told::default() });
    }
}
