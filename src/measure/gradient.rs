//! The gradient of the loss of one batch: its length, and how much the loss depends on the weights.

use super::counted::is_weight;
use super::{Study, Subject};
use crate::Error;
use crate::graph::Network;
use crate::mem::Workspace;
use crate::options::sweep::Sweep;
use crate::proxy::grad_norm::GradNorm;
use crate::proxy::snip::Snip;
use crate::proxy::{Proxy, Totals};
use crate::sweep::{self, Parameter};
use crate::tensor::Role;

pub(super) struct Gradient {
    bytes: usize,
}

impl Study for Gradient {
    fn plan<N: Network + ?Sized>(subject: &Subject<'_, N>) -> Result<Self, Error> {
        let Subject { network, options, source } = *subject;
        Ok(Self { bytes: sweep::workspace_size(network, options, &Sweep::default(), source)? })
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
        let Subject { network, options, source } = *subject;
        let (mut norm, mut snip) = (GradNorm::default(), Snip::default());
        let mut watch = |parameter: Parameter<'_>| {
            norm.add(options.backend, parameter.gradient);
            if let (Role::Weight, Some(weights)) = (parameter.role, parameter.values) {
                snip.add(options.backend, weights, parameter.gradient);
            }
        };
        sweep::gradients(network, options, &Sweep::default(), source, workspace, &mut watch)?;
        totals.add_whole(Proxy::GradNorm, subject.made_of(|_| true, norm.value())?);
        totals.add_whole(Proxy::Snip, subject.made_of(is_weight, snip.value())?);
        Ok(())
    }
}
