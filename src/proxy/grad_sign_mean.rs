//! The mean form of GradSign: the sum (`grad_sign.rs`) divided by the number of the network's own weights, from 0 to the
//! number of images; comes with the sum.
//!
//! What larger networks have more of is left out, so that it ranks otherwise: by the agreement of images alone.

use super::entry::{Entry, Measurement, Origin};

pub(super) const ENTRY: Entry = Entry { name: "grad-sign-mean", origin: Origin::Network(Measurement::Signs) };
