//! What is measured of a network as a whole, for the proxies that are made of it.
//!
//! A measurement is a file of this folder: which runs it takes, what is looked at meanwhile, and which proxies come of it.
//! What these make of the numbers is said in their own files. Measurements are made one after the other in the same
//! memory.

mod counted;
mod curvature;
mod flow;
mod gradient;
mod kept;
mod pass;
mod patterns;
mod response;
mod signs;
mod tangent_kernel;
mod variation;

use crate::Error;
use crate::graph::Network;
use crate::mem::Workspace;
use crate::options::Options;
use crate::proxy::{Measurement, Totals};
use crate::tensor::Source;

/// A network, and how it is to be run.
pub(crate) struct Subject<'s, N: ?Sized> {
    pub(crate) network: &'s N,
    pub(crate) options: &'s Options,
    pub(crate) source: &'s dyn Source,
}

/// A measurement that is laid out: everything that can be refused has been.
trait Study: Sized {
    fn plan<N: Network + ?Sized>(subject: &Subject<'_, N>) -> Result<Self, Error>;

    /// Bytes of workspace.
    fn bytes(&self) -> usize;

    /// Makes the measurement, and adds to the proxies.
    fn run<N: Network + ?Sized>(
        &self,
        subject: &Subject<'_, N>,
        workspace: &mut Workspace<'_>,
        totals: &mut Totals,
    ) -> Result<(), Error>;
}

/// A [`Study`] of networks of one type.
struct Course<N: ?Sized> {
    bytes: fn(&Subject<'_, N>) -> Result<usize, Error>,
    run: fn(&Subject<'_, N>, &mut Workspace<'_>, &mut Totals) -> Result<(), Error>,
}

impl<N: Network + ?Sized> Course<N> {
    const fn of<S: Study>() -> Option<Self> {
        Some(Self {
            bytes: |subject| S::plan(subject).map(|study| study.bytes()),
            run: |subject, workspace, totals| S::plan(subject)?.run(subject, workspace, totals),
        })
    }

    /// The table of measurements; those of blocks are made elsewhere.
    const fn new(measurement: Measurement) -> Option<Self> {
        match measurement {
            Measurement::Spectrum | Measurement::Transfer | Measurement::Concentration => None,
            Measurement::Gradient => Self::of::<gradient::Gradient>(),
            Measurement::Curvature => Self::of::<curvature::Curvature>(),
            Measurement::Flow => Self::of::<flow::Flow>(),
            Measurement::Patterns => Self::of::<patterns::Patterns>(),
            Measurement::Regions => Self::of::<patterns::Regions>(),
            Measurement::TangentKernel => Self::of::<tangent_kernel::TangentKernel>(),
            Measurement::Response => Self::of::<response::Response>(),
            Measurement::Signs => Self::of::<signs::Signs>(),
            Measurement::Variation => Self::of::<variation::Variation>(),
        }
    }
}

impl<N: Network + ?Sized> Subject<'_, N> {
    /// Bytes of workspace that the measurements take which the wanted proxies need.
    ///
    /// # Errors
    /// Everything that can be wrong but a workspace that is too small.
    pub(crate) fn workspace_size(&self) -> Result<usize, Error> {
        self.courses().try_fold(0, |most: usize, course| Ok(most.max((course.bytes)(self)?)))
    }

    /// Makes these measurements, of one repeat.
    pub(crate) fn measure(&self, workspace: &mut Workspace<'_>, totals: &mut Totals) -> Result<(), Error> {
        self.courses().try_for_each(|course| (course.run)(self, workspace, totals))
    }

    fn courses(&self) -> impl Iterator<Item = Course<N>> {
        let needed =
            Measurement::OF_NETWORKS.into_iter().filter(|&measurement| self.options.proxies.needs(measurement));
        needed.filter_map(Course::new)
    }
}
