//! Ctrl-C and other signals that ask a program to end: the first one to end well, another to end at once.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

#[cfg(unix)]
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];

/// How often it is seen whether a signal has come.
const INTERVAL: Duration = Duration::from_millis(20);
/// `timeout` and others send a signal to the process and to its group: two that mean one.
const ONE_REQUEST: Duration = Duration::from_secs(1);

/// The signal that has come, if one has.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// Takes signals from now on.
    pub fn install() -> io::Result<Self> {
        let (interrupt, is_second) = (Self::default(), Arc::new(AtomicBool::new(false)));
        for signal in SIGNALS {
            // In this order: the first signal is not its own second.
            flag::register_conditional_shutdown(signal, status(signal as usize).into(), is_second.clone())?;
            flag::register_usize(signal, interrupt.0.clone(), signal as usize)?;
        }
        let came = interrupt.clone();
        thread::Builder::new().spawn(move || {
            while came.signal().is_none() {
                thread::sleep(INTERVAL);
            }
            thread::sleep(ONE_REQUEST);
            is_second.store(true, Ordering::Relaxed);
        })?;
        Ok(interrupt)
    }

    /// The number of the signal.
    pub fn signal(&self) -> Option<usize> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&signal| signal > 0)
    }
}

/// What a program that a signal has ended tells whoever started it: 128 and the signal's number, as shells have it.
fn status(signal: usize) -> u8 {
    128 + signal as u8
}

/// The status of a program that a signal has ended.
pub fn exit_code(signal: usize) -> ExitCode {
    ExitCode::from(status(signal))
}
