//! A progress bar for people who wait.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// A bar of `count` steps on the terminal; nothing if there is none or little to wait for.
pub fn progress_bar(count: usize) -> ProgressBar {
    if count < 4 || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}  {per_sec}  {eta} left");
    ProgressBar::new(count as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
