//! The linear regions of TE-NAS: into how many linear pieces a network cuts its inputs (Chen, Gong and Wang, ICLR 2021).
//!
//! The number of different patterns of signs of the rectifiers' outputs among the images of a batch
//! ([`Agreements::regions`](super::naswot::Agreements::regions)); 1 to the number of images, which most cells of
//! NAS-Bench-201 reach. Undefined without rectifiers.
//!
//! Deviation: the authors' program leaves out rectifiers of vectors, as behind a pooling; here all count.
//!
//! Published setting: the frameworks' default initialisation, Gaussian input, batch 64.

use super::entry::{Entry, Measurement, Origin};

pub(super) const ENTRY: Entry = Entry { name: "linear-regions", origin: Origin::Network(Measurement::Regions) };
