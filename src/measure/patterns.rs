//! The signs at the rectifiers, image by image, and on how many each two images agree.

use super::kept::Kept;
use super::{Study, Subject};
use crate::Error;
use crate::graph::{Initialisation, Network};
use crate::mem::{Slot, Workspace};
use crate::ops::signs::{pattern, pattern_len};
use crate::options::Options;
use crate::options::sweep::Input;
use crate::proxy::naswot::Agreements;
use crate::proxy::{Flags, Proxy, Totals};
use crate::run::{Look, Rectifier};
use crate::simd::Backend;

/// Of the network as it is drawn for a score.
pub(super) struct Patterns(Plan);

/// Of the network as frameworks draw it.
pub(super) struct Regions(Plan);

struct Plan {
    counts: Slot<f64>,
    patterns: Slot<u64>,
    kept: Kept,
    pass: usize,
    bytes: usize,
}

impl Plan {
    fn new<N: Network + ?Sized>(subject: &Subject<'_, N>) -> Result<Self, Error> {
        let survey = subject.survey(Input::default())?;
        let (mut kept, images) = (Kept::default(), subject.options.batch);
        let counts = kept.matrix(images, images)?;
        let patterns = kept.matrix(images, pattern_len(survey.units))?;
        Ok(Self { counts, patterns, kept, pass: survey.bytes, bytes: kept.bytes_with(survey.bytes)? })
    }

    /// What becomes of the agreements of all images.
    fn run<N: Network + ?Sized>(
        &self,
        subject: &Subject<'_, N>,
        workspace: &mut Workspace<'_>,
        of: impl FnOnce(Agreements<'_>) -> (f64, Flags),
    ) -> Result<(f64, Flags), Error> {
        let [mut kept, mut rest] = workspace.split(self.kept.bytes());
        let mut loans = kept.loans();
        let agreements = Agreements::new(loans.write(self.counts), subject.options.batch);
        let (backend, last) = (subject.options.backend, subject.options.batch - 1);
        let mut signs = Signs { backend, agreements, patterns: loans.write(self.patterns), last, are_numbers: true };
        subject.pass(Input::default(), self.pass, &mut rest, &mut signs)?;
        if !signs.are_numbers {
            return Ok((f64::NAN, Flags::NOT_FINITE));
        }
        if signs.agreements.units() == 0.0 {
            return Ok((f64::NAN, Flags::NO_RECTIFIER));
        }
        Ok(of(signs.agreements))
    }
}

/// Keeps the pattern of every image at one rectifier.
struct Signs<'m> {
    backend: Backend,
    agreements: Agreements<'m>,
    patterns: &'m mut [u64],
    last: usize,
    /// Nothing that has no sign has been seen.
    are_numbers: bool,
}

impl Look for Signs<'_> {
    fn rectified(&mut self, rectifier: Rectifier, image: usize, values: &[f32]) {
        let words = pattern_len(rectifier.units);
        self.are_numbers &= pattern(self.backend, values, &mut self.patterns[image * words..][..words]);
        if image == self.last {
            self.agreements.add(self.backend, self.patterns, rectifier.units, rectifier.times);
        }
    }

    fn idle(&mut self, rectifier: Rectifier) {
        self.agreements.add_alike(rectifier.units * rectifier.times);
    }
}

impl Study for Patterns {
    fn plan<N: Network + ?Sized>(subject: &Subject<'_, N>) -> Result<Self, Error> {
        Plan::new(subject).map(Self)
    }

    fn bytes(&self) -> usize {
        self.0.bytes
    }

    fn run<N: Network + ?Sized>(
        &self,
        subject: &Subject<'_, N>,
        workspace: &mut Workspace<'_>,
        totals: &mut Totals,
    ) -> Result<(), Error> {
        let found = self.0.run(subject, workspace, |agreements| {
            let value = agreements.ln_determinant();
            (value, if value == f64::NEG_INFINITY { Flags::IMAGES_ALIKE } else { Flags::default() })
        })?;
        totals.add_whole(Proxy::Naswot, found);
        Ok(())
    }
}

fn drawn_by_frameworks<N: ?Sized>(subject: &Subject<'_, N>) -> Options {
    Options { initialisation: Initialisation::UniformFanIn, ..*subject.options }
}

impl Study for Regions {
    fn plan<N: Network + ?Sized>(subject: &Subject<'_, N>) -> Result<Self, Error> {
        let options = drawn_by_frameworks(subject);
        Plan::new(&Subject { options: &options, ..*subject }).map(Self)
    }

    fn bytes(&self) -> usize {
        self.0.bytes
    }

    fn run<N: Network + ?Sized>(
        &self,
        subject: &Subject<'_, N>,
        workspace: &mut Workspace<'_>,
        totals: &mut Totals,
    ) -> Result<(), Error> {
        let options = drawn_by_frameworks(subject);
        let subject = Subject { options: &options, ..*subject };
        let count = |agreements: Agreements<'_>| (agreements.regions() as f64, Flags::default());
        let found = self.0.run(&subject, workspace, count)?;
        totals.add_whole(Proxy::LinearRegions, found);
        Ok(())
    }
}
