//! The gradient of the outputs for one image of ones, of the network without signs and normalisations.

use super::counted::is_weight;
use super::{Study, Subject};
use crate::Error;
use crate::graph::Network;
use crate::mem::Workspace;
use crate::options::Options;
use crate::options::sweep::{Input, Loss, Sweep, Weights};
use crate::proxy::synflow::Synflow;
use crate::proxy::{Flags, Proxy, Totals};
use crate::sweep::{self, Parameter};
use crate::tensor::Role;

pub(super) struct Flow {
    bytes: usize,
}

const SWEEP: Sweep = Sweep {
    input: Input::Ones,
    weights: Weights::Magnitudes,
    without_norms: true,
    loss: Loss::Sum,
    state: sweep::State::None,
    signs: sweep::Signs::Own,
};

impl Study for Flow {
    fn plan<N: Network + ?Sized>(subject: &Subject<'_, N>) -> Result<Self, Error> {
        let options = Options { batch: 1, ..*subject.options };
        Ok(Self { bytes: sweep::workspace_size(subject.network, &options, &SWEEP, subject.source)? })
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
        let options = Options { batch: 1, ..*subject.options };
        let mut synflow = Synflow::default();
        let mut watch = |parameter: Parameter<'_>| {
            if let (Role::Weight, Some(weights)) = (parameter.role, parameter.values) {
                synflow.add(options.backend, weights, parameter.gradient, parameter.exponent);
            }
        };
        sweep::gradients(subject.network, &options, &SWEEP, subject.source, workspace, &mut watch)?;
        let (value, mut flags) = subject.made_of(is_weight, synflow.value())?;
        if value == f64::NEG_INFINITY {
            flags |= Flags::CUT_OFF;
        }
        totals.add_whole(Proxy::Synflow, (value, flags));
        Ok(())
    }
}
