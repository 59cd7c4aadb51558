//! How the gradient of the loss changes with the scale of the weights.

use super::{Study, Subject};
use crate::Error;
use crate::graph::Network;
use crate::mem::Workspace;
use crate::options::sweep::{Sweep, Weights};
use crate::proxy::grasp::{Grasp, SCALES};
use crate::proxy::{Flags, Proxy, Totals};
use crate::sweep::{self, Parameter};
use crate::tensor::Role;

pub(super) struct Curvature {
    bytes: usize,
}

fn scaled(by: f32) -> Sweep {
    Sweep { weights: Weights::Scaled { by }, ..Sweep::default() }
}

impl Study for Curvature {
    fn plan<N: Network + ?Sized>(subject: &Subject<'_, N>) -> Result<Self, Error> {
        let Subject { network, options, source } = *subject;
        Ok(Self { bytes: sweep::workspace_size(network, options, &scaled(1.0), source)? })
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
        let mut grasp = Grasp::default();
        for (place, by) in SCALES.into_iter().enumerate() {
            let mut watch = |parameter: Parameter<'_>| {
                if parameter.role == Role::Weight {
                    grasp.add(place, parameter.gradient);
                }
            };
            sweep::gradients(network, options, &scaled(by), source, workspace, &mut watch)?;
        }
        totals.add_whole(Proxy::Grasp, grasp.value(), Flags::default());
        Ok(())
    }
}
