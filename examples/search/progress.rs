//! Tells people how far the search has come: a bar on a terminal, a line now and then elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

/// How often the best candidate on the bar is brought up to date.
const BAR_INTERVAL: Duration = Duration::from_millis(200);
/// How often a line is written.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

pub struct Progress {
    bar: Option<ProgressBar>,
    start: Instant,
    reported: Instant,
    first: usize,
    total: usize,
}

impl Progress {
    /// Progress from `first` candidates to `total`.
    pub fn new(first: usize, total: usize) -> Self {
        let now = Instant::now();
        let bar = stderr().is_terminal().then(|| {
            let template = "{bar:32.cyan/blue} {pos}/{len}  {per_sec}  {eta} left  {msg}";
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(total as u64).with_style(style).with_position(first as u64);
            bar.reset_eta();
            bar
        });
        Self { bar, start: now, reported: now, first, total }
    }

    /// Notes that `done` candidates are done; asks for a description of the best when there is something to show.
    pub fn update(&mut self, done: usize, best: impl FnOnce() -> String) {
        let interval = if self.bar.is_some() { BAR_INTERVAL } else { LINE_INTERVAL };
        let is_due = self.reported.elapsed() >= interval;
        if is_due {
            self.reported = Instant::now();
        }
        match &self.bar {
            Some(bar) => {
                bar.set_position(done as u64);
                if is_due {
                    bar.set_message(best());
                }
            }
            None if is_due => {
                let rate = (done - self.first) as f64 / self.start.elapsed().as_secs_f64();
                let left = (self.total - done) as f64 / rate;
                eprintln!("{done} of {} candidates, {rate:.1} a second, {left:.0} s left, {}", self.total, best());
            }
            None => {}
        }
    }

    /// Writes a line without breaking the bar.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// Candidates a second since the beginning.
    pub fn finish(&self, done: usize) -> f64 {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        (done - self.first) as f64 / self.start.elapsed().as_secs_f64()
    }
}
