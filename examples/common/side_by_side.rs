//! Work done side by side by a few threads, each with tools of its own that it keeps from one item to the next.
//!
//! Items are taken one at a time, when a worker is free; nothing is read ahead of that. Who stops taking results stops the
//! work too.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Results that may wait, for each worker, until one before them is done.
const AHEAD: usize = 4;

/// Results as they are done.
///
/// # Errors
/// If the system has no more threads.
pub fn as_done<T, R: Send + 'static, S: Default>(
    items: impl Iterator<Item = T> + Send + 'static,
    workers: usize,
    work: impl Fn(&mut S, T) -> R + Send + Sync + 'static,
) -> io::Result<impl Iterator<Item = R>> {
    let (hand_in, handed_in) = mpsc::channel();
    start(items, move || Some(hand_in.clone()), workers, work)?;
    Ok(handed_in.into_iter())
}

/// Results in the order of the items, each as soon as it and all before it are done. Of a stream without end, only as much is in
/// memory as the workers have at hand.
///
/// # Errors
/// If the system has no more threads.
pub fn in_order<T, R: Send + 'static, S: Default>(
    items: impl Iterator<Item = T> + Send + 'static,
    workers: usize,
    work: impl Fn(&mut S, T) -> R + Send + Sync + 'static,
) -> io::Result<impl Iterator<Item = R>> {
    let (promise, promised) = mpsc::sync_channel::<Receiver<R>>(AHEAD * workers);
    let place = move || {
        let (hand_in, handed_in) = mpsc::channel();
        promise.send(handed_in).ok().map(|()| hand_in)
    };
    start(items, place, workers, work)?;
    Ok(promised.into_iter().map(|result| result.recv().expect("workers do not panic")))
}

/// Starts workers. `place` says where the result of the next item goes; without a place the work is over.
fn start<T, R: Send + 'static, S: Default>(
    items: impl Iterator<Item = T> + Send + 'static,
    place: impl FnMut() -> Option<Sender<R>> + Send + 'static,
    workers: usize,
    work: impl Fn(&mut S, T) -> R + Send + Sync + 'static,
) -> io::Result<()> {
    let most = items.size_hint().1.unwrap_or(usize::MAX);
    let shared = Arc::new((Mutex::new((items.fuse(), place)), work));
    for _ in 0..workers.min(most) {
        let shared = Arc::clone(&shared);
        let worker = move || {
            let ((source, work), mut tools) = (&*shared, S::default());
            let next = || {
                let (items, place) = &mut *source.lock().unwrap_or_else(PoisonError::into_inner);
                Some((items.next()?, place()?))
            };
            while let Some((item, place)) = next() {
                if place.send(work(&mut tools, item)).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new().spawn(worker)?;
    }
    Ok(())
}
