//! The products of the gradients of the outputs for each two images.

use super::kept::Kept;
use super::{Study, Subject};
use crate::Error;
use crate::base::sum::sum;
use crate::graph::{Initialisation, Network};
use crate::linalg::spectrum;
use crate::mem::{Slot, Workspace};
use crate::options::Options;
use crate::options::sweep::{Loss, Sweep};
use crate::proxy::ntk::conditioning;
use crate::proxy::{Flags, Proxy, Totals};
use crate::sweep::{self, Parameter};
use crate::tensor::Role;

pub(super) struct TangentKernel {
    kernel: Slot<f64>,
    eigenvalues: Slot<f64>,
    scratch: Slot<f64>,
    /// The gradients of every image with respect to the parameters of one block.
    gradients: Slot<f32>,
    kept: Kept,
    bytes: usize,
}

fn sweep() -> Sweep {
    Sweep { loss: Loss::EachSample, ..Sweep::default() }
}

fn options<N: ?Sized>(subject: &Subject<'_, N>) -> Options {
    Options { initialisation: Initialisation::UniformFanIn, ..*subject.options }
}

/// Whether gradients with respect to such parameters count.
fn counts(role: Role) -> bool {
    matches!(role, Role::Weight | Role::Gain)
}

/// The kernel, while gradients arrive: of a block those of every image in turn, each in the same order.
struct Products<'m> {
    kernel: &'m mut [f64],
    images: usize,
    gradients: &'m mut [f32],
    /// Numbers for an image in that.
    capacity: usize,
    block: Option<usize>,
    image: usize,
    /// Numbers of the image at hand.
    len: usize,
}

impl Products<'_> {
    fn add(&mut self, block: usize, image: usize, gradient: &[f32]) {
        if self.block != Some(block) {
            self.end_block();
            self.block = Some(block);
        }
        if self.image != image {
            (self.image, self.len) = (image, 0);
        }
        self.gradients[image * self.capacity + self.len..][..gradient.len()].copy_from_slice(gradient);
        self.len += gradient.len();
    }

    /// Adds the products of the block at hand.
    fn end_block(&mut self) {
        for i in 0..self.images {
            for j in 0..=i {
                let [a, b] = [i, j].map(|image| &self.gradients[image * self.capacity..][..self.len]);
                self.kernel[i * self.images + j] += sum(self.len, |k| f64::from(a[k]) * f64::from(b[k]));
            }
        }
        (self.image, self.len) = (0, 0);
    }

    /// Both halves of the kernel are filled.
    fn finish(mut self) {
        self.end_block();
        for i in 0..self.images {
            for j in 0..i {
                self.kernel[j * self.images + i] = self.kernel[i * self.images + j];
            }
        }
    }
}

impl Study for TangentKernel {
    fn plan<N: Network + ?Sized>(subject: &Subject<'_, N>) -> Result<Self, Error> {
        let (options, images) = (options(subject), subject.options.batch);
        let runs = sweep::workspace_size(subject.network, &options, &sweep(), subject.source)?;
        let mut kept = Kept::default();
        let (kernel, eigenvalues) = (kept.matrix(images, images)?, kept.slot(images)?);
        let scratch = kept.slot(spectrum::scratch_len(images))?;
        let gradients = kept.matrix(images, subject.counted(counts)?.largest_block)?;
        Ok(Self { kernel, eigenvalues, scratch, gradients, kept, bytes: kept.bytes_with(runs)? })
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
        let (options, images) = (options(subject), subject.options.batch);
        let [mut kept, mut rest] = workspace.split(self.kept.bytes());
        let mut loans = kept.loans();
        let (kernel, gradients) = (loans.write(self.kernel), loans.write(self.gradients));
        kernel.fill(0.0);
        let capacity = gradients.len() / images;
        let mut products = Products { kernel, images, gradients, capacity, block: None, image: 0, len: 0 };
        let mut watch = |parameter: Parameter<'_>| {
            if counts(parameter.role) {
                products.add(parameter.block, parameter.sample.unwrap_or(0), parameter.gradient);
            }
        };
        sweep::gradients(subject.network, &options, &sweep(), subject.source, &mut rest, &mut watch)?;
        products.finish();
        let (values, scratch) = (loans.write(self.eigenvalues), loans.write(self.scratch));
        let value = conditioning(options.backend, kernel, images, values, scratch);
        let (value, mut flags) = subject.made_of(counts, value)?;
        if value == f64::NEG_INFINITY {
            flags |= Flags::IMAGES_ALIKE;
        }
        totals.add_whole(Proxy::Ntk, (value, flags));
        Ok(())
    }
}
