//! The signs of the gradients of the losses of images, each run by itself.

use super::counted::is_weight;
use super::{Study, Subject};
use crate::Error;
use crate::graph::{Initialisation, Network};
use crate::mem::Workspace;
use crate::options::Options;
use crate::options::sweep::{Input, State, Sweep};
use crate::proxy::grad_sign;
use crate::proxy::{Proxy, Totals};
use crate::sweep::{self, Parameter};
use crate::tensor::{Role, Source};

pub(super) struct Signs {
    bytes: usize,
}

/// The images of the first batch, as batches of one image each.
struct Images<'s> {
    batch: &'s dyn Source,
    count: usize,
}

impl Source for Images<'_> {
    fn batch(&self, number: u32) -> Option<&[f32]> {
        let all = self.batch.input()?;
        let len = all.len() / self.count.max(1);
        all.get(number as usize * len..)?.get(..len)
    }

    fn labels(&self, batch: u32) -> Option<&[u32]> {
        self.batch.labels(0)?.get(batch as usize..=batch as usize)
    }

    fn parameter(&self, block: usize, key: u32, role: Role) -> Option<&[f32]> {
        self.batch.parameter(block, key, role)
    }
}

/// The sweep of an image; the state holds the sums of signs so far.
fn sweep_of(image: usize) -> Sweep {
    let state = if image == 0 { State::Fresh } else { State::Kept };
    Sweep { input: Input::Batch(image as u32), state, ..Sweep::default() }
}

impl<'s, N: Network + ?Sized> Subject<'s, N> {
    /// How each image is run, and where it comes from.
    fn each(&self) -> (Options, Images<'s>) {
        let options = Options { batch: 1, initialisation: Initialisation::UniformFanIn, ..*self.options };
        (options, Images { batch: self.source, count: self.options.batch })
    }
}

impl Study for Signs {
    fn plan<N: Network + ?Sized>(subject: &Subject<'_, N>) -> Result<Self, Error> {
        // What is given has to fit as a batch.
        sweep::workspace_size(subject.network, subject.options, &Sweep::default(), subject.source)?;
        let (options, images) = subject.each();
        Ok(Self { bytes: sweep::workspace_size(subject.network, &options, &sweep_of(0), &images)? })
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
        let (options, images) = subject.each();
        let (mut total, last) = (0.0, images.count - 1);
        for image in 0..=last {
            let mut watch = |parameter: Parameter<'_>| {
                if is_weight(parameter.role) {
                    grad_sign::add_signs(parameter.state, parameter.gradient);
                    if image == last {
                        total += grad_sign::total(parameter.state);
                    }
                }
            };
            sweep::gradients(subject.network, &options, &sweep_of(image), &images, workspace, &mut watch)?;
        }
        let mean = grad_sign::mean(total, subject.counted(is_weight)?.all);
        totals.add_whole(Proxy::GradSign, subject.made_of(is_weight, total)?);
        totals.add_whole(Proxy::GradSignMean, subject.made_of(is_weight, mean)?);
        Ok(())
    }
}
