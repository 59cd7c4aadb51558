//! The table of all spaces: their names, their numbers, and who does something with the space of a name.

use super::{Policy, Reduction, Settings, Space, autoformer, mbv2, nb101, nb201, nds};
use crate::Error;
use crate::base::SMALL;
use crate::graph::Network;

/// Something to do with a space that is known by its name only.
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Does it.
    fn visit<S: Space>(self, space: S) -> Self::Output;
}

/// From one line a space: its variant, its number in the C interface, and its type.
macro_rules! spaces {
    ($($(#[$doc:meta])* $variant:ident = $number:literal: $space:ty $(, if $is_built:expr)?;)*) => {
        /// The search spaces, each with its number in the C interface.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum SpaceName {
            $($(#[$doc])* $variant = $number,)*
        }

        impl SpaceName {
            /// Every space.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// What holds for all networks of the space.
            pub const fn policy(self) -> &'static Policy {
                match self {
                    $(Self::$variant => &<$space as Space>::POLICY,)*
                }
            }

            /// Hands the space under these settings to `visitor`.
            ///
            /// # Errors
            /// [`Error::Invalid`] naming the setting that is out of range.
            pub fn visit<V: Visitor>(self, settings: &Settings, visitor: V) -> Result<V::Output, Error> {
                if !SMALL && matches!(self, Self::Autoformer) {
                    Reduction::refuse(settings.reduction)?;
                }
                match self {
                    $($(Self::$variant if !$is_built => Err(LEFT_OUT),)?)*
                    $(Self::$variant => <$space as Space>::new(settings).map(|space| visitor.visit(space)),)*
                }
            }
        }
    };
}

/// The refusal of a space that a small build leaves out.
const LEFT_OUT: Error = Error::Invalid { field: "space", expected: "one that is not left out of a small build" };

spaces! {
    /// NAS-Bench-201 cells.
    Nb201 = 1: nb201::CellSpace;
    /// MobileNetV2-like structures.
    Mbv2 = 2: mbv2::StructureSpace;
    /// AutoFormer vision transformers.
    Autoformer = 3: autoformer::TransformerSpace<'static>;
    /// NAS-Bench-101 cells.
    Nb101 = 5: nb101::CellSpace;
    /// Cells of NDS: ENAS, Amoeba, NASNet, PNAS, DARTS.
    Nds = 6: nds::GenotypeSpace, if !SMALL;
}

impl SpaceName {
    /// The name on command lines.
    pub const fn name(self) -> &'static str {
        self.policy().name
    }

    /// The space of a number in the C interface.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|&space| space as u32 == number)
    }

    /// Hands what is scored of the architecture that `text` describes to `work`: its network, or what stands in for it.
    ///
    /// # Errors
    /// Those of [`Space::new`], [`Space::parse`] and [`Space::stand_in`].
    pub fn with_network<R>(
        self,
        settings: &Settings,
        text: &[u8],
        work: impl FnOnce(&dyn Network) -> R,
    ) -> Result<R, Error> {
        struct Reading<'t, W>(&'t [u8], W);

        impl<R, W: FnOnce(&dyn Network) -> R> Visitor for Reading<'_, W> {
            type Output = Result<R, Error>;

            fn visit<S: Space>(self, space: S) -> Result<R, Error> {
                let Self(text, work) = self;
                space.with_scored(&space.parse(text)?, work)
            }
        }

        self.visit(settings, Reading(text, work))?
    }

    /// What is scored of the architecture that `text` describes: its network, or what stands in for it.
    ///
    /// # Errors
    /// Those of [`Space::new`], [`Space::parse`] and [`Space::stand_in`].
    #[cfg(feature = "alloc")]
    pub fn network(
        self,
        settings: &Settings,
        text: &[u8],
    ) -> Result<alloc::boxed::Box<dyn Network + Send + Sync>, Error> {
        use alloc::boxed::Box;

        struct Reading<'t>(&'t [u8]);

        impl Visitor for Reading<'_> {
            type Output = Result<Box<dyn Network + Send + Sync>, Error>;

            fn visit<S: Space>(self, space: S) -> Self::Output {
                let architecture = space.parse(self.0)?;
                Ok(match space.stand_in(&architecture)? {
                    Some(network) => Box::new(network),
                    None => Box::new(space.network(&architecture)),
                })
            }
        }

        self.visit(settings, Reading(text))?
    }
}
