//! How the gradient of the loss changes with the scale of the weights.

use super::counted::is_weight;
use super::{Study, Subject};
use crate::Error;
use crate::graph::Network;
use crate::mem::Workspace;
use crate::options::sweep::{Signs, Sweep, Weights};
use crate::proxy::grasp::{Grasp, SCALES};
use crate::proxy::{Proxy, Totals};
use crate::sweep::{self, Parameter};

pub(super) struct Curvature {
    bytes: usize,
}

/// The sweep that notes the signs at the rectifiers.
fn noting() -> Sweep {
    Sweep { signs: Signs::Noted, ..Sweep::default() }
}

/// The same at weights of another scale: rectifiers do as they did.
fn scaled(by: f32) -> Sweep {
    Sweep { weights: Weights::Scaled { by }, signs: Signs::Followed, ..Sweep::default() }
}

impl Study for Curvature {
    fn plan<N: Network + ?Sized>(subject: &Subject<'_, N>) -> Result<Self, Error> {
        let Subject { network, options, source } = *subject;
        Ok(Self { bytes: sweep::workspace_size(network, options, &noting(), source)? })
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
        sweep::gradients(network, options, &noting(), source, workspace, &mut |_: Parameter<'_>| ())?;
        for (place, by) in SCALES.into_iter().enumerate() {
            let mut watch = |parameter: Parameter<'_>| {
                if is_weight(parameter.role) {
                    grasp.add(options.backend, place, parameter.gradient);
                }
            };
            sweep::gradients(network, options, &scaled(by), source, workspace, &mut watch)?;
        }
        totals.add_whole(Proxy::Grasp, subject.made_of(is_weight, grasp.value())?);
        Ok(())
    }
}
