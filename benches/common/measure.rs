//! One benchmark: criterion's statistics, and a line with the best time as a rate beside what the machine can do at most.
//! That is measured next to each line, because clocks vary.

mod peak;

use aznas::simd::Backend;
use criterion::Criterion;
use std::time::{Duration, Instant};

/// What one call does.
#[derive(Clone, Copy)]
pub enum Work {
    /// Operations in single precision; a multiply-add is two.
    Operations(f64),
    /// Operations in double precision.
    DoubleOperations(f64),
    /// Bytes of the tensors read and written, each once; compared with a plain copy that touches as many.
    Bytes(f64),
}

impl Work {
    /// The rate, in thousand millions a second, and its share of the most that is possible.
    fn rate(self, backend: Backend, time: Duration) -> String {
        let (done, most, unit, limit) = match self {
            Self::Operations(count) => (count, peak::operations_per_second(backend), "GFLOP/s", "peak"),
            Self::DoubleOperations(count) => (count, peak::operations_per_second(backend) / 2.0, "GFLOP/s", "peak"),
            Self::Bytes(count) => (count, peak::copied_bytes_per_second(count), "GB/s", "copy"),
        };
        let rate = done / time.as_secs_f64();
        format!("{:7.1} {unit} {:4.0} % of the {limit}'s {:.1}", rate / 1e9, 100.0 * rate / most, most / 1e9)
    }
}

/// Quick, because there are many rows.
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(200))
}

/// Whether every benchmark is only to be tried once: `cargo bench -- --test`.
pub fn is_trial() -> bool {
    std::env::args().any(|argument| argument == "--test")
}

/// Benches a call that is what is measured.
pub fn bench(criterion: &mut Criterion, name: &str, backend: Backend, work: Work, mut call: impl FnMut()) {
    bench_part(criterion, name, backend, work, || {
        let start = Instant::now();
        call();
        start.elapsed()
    });
}

/// Benches the part of a call whose time the call returns.
pub fn bench_part(
    criterion: &mut Criterion,
    name: &str,
    backend: Backend,
    work: Work,
    mut call: impl FnMut() -> Duration,
) {
    let mut best = Duration::MAX;
    criterion.bench_function(&format!("{name} {}", backend.name()), |bencher| {
        bencher.iter_custom(|iterations| {
            let times = (0..iterations).map(|_| call());
            times.inspect(|&time| best = best.min(time)).sum()
        });
    });
    // Untouched by a call if the command line has filtered this one out.
    if best < Duration::MAX {
        let rate = work.rate(backend, best);
        println!("{name:<52} {:<7} {:>10.4} ms {rate}", backend.name(), 1e3 * best.as_secs_f64());
    }
}
