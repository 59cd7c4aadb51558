//! How the map that the classifier pools answers to a small change of the input.

use super::kept::Kept;
use super::pass::Survey;
use super::{Study, Subject};
use crate::Error;
use crate::graph::{Initialisation, Network};
use crate::mem::{Slot, Workspace};
use crate::ops::moments::Moments;
use crate::options::Options;
use crate::options::sweep::Input;
use crate::proxy::zen::{SHIFT, Zen, difference, mean_variance};
use crate::proxy::{Flags, Proxy, Totals};
use crate::run::Look;

pub(super) struct Response {
    survey: Survey,
    /// Of each batch normalisation in the first run.
    variances: Slot<f64>,
    /// The map of the first run.
    map: Slot<f32>,
    kept: Kept,
    /// Bytes of the larger run, and of all.
    pass: usize,
    bytes: usize,
}

const INPUTS: [Input; 2] = [Input::Batch(0), Input::Shifted { by: SHIFT }];

fn options<N: ?Sized>(subject: &Subject<'_, N>) -> Options {
    Options { initialisation: Initialisation::StandardNormal, ..*subject.options }
}

/// The run without the change.
struct First<'m> {
    head: usize,
    variances: core::slice::IterMut<'m, f64>,
    map: &'m mut [f32],
}

impl Look for First<'_> {
    fn normalised(&mut self, moments: &Moments<'_>) {
        if let Some(variance) = self.variances.next() {
            *variance = mean_variance(moments.squares(), moments.count());
        }
    }

    fn pooled(&mut self, block: usize, image: usize, map: &[f32]) {
        if block == self.head {
            self.map[image * map.len()..][..map.len()].copy_from_slice(map);
        }
    }
}

/// The run with it.
struct Second<'m> {
    head: usize,
    variances: core::slice::Iter<'m, f64>,
    map: &'m [f32],
    zen: Zen,
    difference: f64,
}

impl Look for Second<'_> {
    fn normalised(&mut self, moments: &Moments<'_>) {
        if let Some(&first) = self.variances.next() {
            self.zen.add(first, mean_variance(moments.squares(), moments.count()));
        }
    }

    fn pooled(&mut self, block: usize, image: usize, map: &[f32]) {
        if block == self.head {
            self.difference += difference(&self.map[image * map.len()..][..map.len()], map);
        }
    }
}

impl Study for Response {
    fn plan<N: Network + ?Sized>(subject: &Subject<'_, N>) -> Result<Self, Error> {
        let options = options(subject);
        let subject = Subject { options: &options, ..*subject };
        let [survey, second] = [subject.survey(INPUTS[0])?, subject.survey(INPUTS[1])?];
        let mut kept = Kept::default();
        let variances = kept.slot(survey.norms)?;
        let map = kept.matrix(options.batch, survey.map)?;
        let pass = survey.bytes.max(second.bytes);
        Ok(Self { survey, variances, map, kept, pass, bytes: kept.bytes_with(pass)? })
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn run<N: Network + ?Sized>(
        &self,
        subject: &Subject<'_, N>,
        workspace: &mut Workspace<'_>,
        totals: &mut Totals,
    ) -> Result<(), Error> {
        if self.survey.norms == 0 || self.survey.map == 0 {
            totals.add_whole(Proxy::Zen, (f64::NAN, Flags::NO_BATCH_NORM));
            return Ok(());
        }
        let options = options(subject);
        let subject = Subject { options: &options, ..*subject };
        let [mut kept, mut rest] = workspace.split(self.kept.bytes());
        let (head, mut loans) = (subject.network.block_count(), kept.loans());
        let (variances, map) = (loans.write(self.variances), loans.write(self.map));
        // A map of zeros is not shown.
        map.fill(0.0);
        let mut first = First { head, variances: variances.iter_mut(), map };
        subject.pass(INPUTS[0], self.pass, &mut rest, &mut first)?;
        let mut second = Second { head, variances: variances.iter(), map, zen: Zen::default(), difference: 0.0 };
        subject.pass(INPUTS[1], self.pass, &mut rest, &mut second)?;
        let value = second.zen.value(second.difference / options.batch as f64);
        let flags = if value == f64::NEG_INFINITY { Flags::CUT_OFF } else { Flags::default() };
        totals.add_whole(Proxy::Zen, (value, flags));
        Ok(())
    }
}
