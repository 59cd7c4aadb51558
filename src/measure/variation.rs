//! The gradients of the losses of two batches, side by side.

use super::counted::is_weight;
use super::{Study, Subject};
use crate::Error;
use crate::graph::{Initialisation, Network};
use crate::mem::Workspace;
use crate::options::Options;
use crate::options::sweep::{Input, State, Sweep};
use crate::proxy::zico::Zico;
use crate::proxy::{Proxy, Totals};
use crate::sweep::{self, Parameter};

pub(super) struct Variation {
    bytes: usize,
}

fn options<N: ?Sized>(subject: &Subject<'_, N>) -> Options {
    Options { initialisation: Initialisation::UniformFanIn, ..*subject.options }
}

/// The state holds the gradient of the first batch while that of the second arrives.
const SWEEPS: [Sweep; 2] = {
    let first = Sweep {
        input: Input::Batch(0),
        weights: sweep::Weights::AsDrawn,
        without_norms: false,
        loss: sweep::Loss::CrossEntropy,
        state: State::Fresh,
        signs: sweep::Signs::Own,
    };
    [first, Sweep { input: Input::Batch(1), state: State::Kept, ..first }]
};

impl Study for Variation {
    fn plan<N: Network + ?Sized>(subject: &Subject<'_, N>) -> Result<Self, Error> {
        let bytes = |sweep| sweep::workspace_size(subject.network, &options(subject), sweep, subject.source);
        Ok(Self { bytes: bytes(&SWEEPS[0])?.max(bytes(&SWEEPS[1])?) })
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
        let (options, mut zico) = (options(subject), Zico::default());
        let mut keep = |parameter: Parameter<'_>| parameter.state.copy_from_slice(parameter.gradient);
        sweep::gradients(subject.network, &options, &SWEEPS[0], subject.source, workspace, &mut keep)?;
        let mut compare = |parameter: Parameter<'_>| {
            if is_weight(parameter.role) {
                zico.add(parameter.state, parameter.gradient);
            }
        };
        sweep::gradients(subject.network, &options, &SWEEPS[1], subject.source, workspace, &mut compare)?;
        totals.add_whole(Proxy::Zico, subject.made_of(is_weight, zico.value())?);
        Ok(())
    }
}
