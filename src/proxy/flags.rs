//! Why a value is −∞ or out of the ordinary.

/// Why a score is −∞ or out of the ordinary. No proxy that was measured is −∞ without a flag that says why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u32);

impl Flags {
    /// A feature or gradient holds NaN or infinity, or what a network counts as its complexity is such.
    pub const NOT_FINITE: Self = Self(1);
    /// A feature does not vary over its positions: its entropy is undefined, expressivity and progressivity are −∞.
    pub const CONSTANT_FEATURE: Self = Self(2);
    /// A block passes its gradient unchanged: trainability is −∞, or does without the block if the space says so.
    pub const IDENTITY_BLOCK: Self = Self(4);
    /// The network is a single block: nothing leads from a feature to the next, neither a step of the entropy nor a
    /// gradient. Progressivity, mean progressivity and trainability are −∞.
    pub const SINGLE_BLOCK: Self = Self(16);
    /// Every block after the first down-samples: no step is left to mean progressivity, which is −∞.
    pub const ALL_DOWN_SAMPLE: Self = Self(32);
    /// The network has no rectifiers: NASWOT and linear regions are −∞.
    pub const NO_RECTIFIER: Self = Self(64);
    /// The network has no batch normalisations, or no map that is pooled: ZenNAS is −∞.
    pub const NO_BATCH_NORM: Self = Self(128);
    /// Two images look alike to the network: they are on one side of every rectifier, or the tangent kernel is singular.
    /// NASWOT or the kernel's score is −∞.
    pub const IMAGES_ALIKE: Self = Self(256);
    /// Nothing of the input reaches the last map or the outputs: ZenNAS or Synflow is −∞.
    pub const CUT_OFF: Self = Self(512);
    /// Every feature has a single channel: isotropy is −∞.
    pub const ONE_CHANNEL: Self = Self(1024);
    /// A block does not shrink its map by one whole factor in rows and columns: gradients at its output do not fold onto
    /// those at its input, and trainability and log gain do without it. They are −∞ if that leaves no block.
    pub const UNEVEN_BLOCK: Self = Self(2048);
    /// A spectrum is of fewer than two positions a channel, which says little about it: a larger batch is needed. See
    /// [`smallest_batch`](crate::score::smallest_batch).
    pub const FEW_POSITIONS: Self = Self(4096);
    /// The network has none of the parameters whose gradients a proxy is made of, weights mostly: the proxy is −∞.
    pub const NO_PARAMETERS: Self = Self(8192);

    const NAMES: [(Self, &'static str); 13] = [
        (Self::NOT_FINITE, "not-finite"),
        (Self::CONSTANT_FEATURE, "constant-feature"),
        (Self::IDENTITY_BLOCK, "identity-block"),
        (Self::SINGLE_BLOCK, "single-block"),
        (Self::ALL_DOWN_SAMPLE, "all-down-sample"),
        (Self::NO_RECTIFIER, "no-rectifier"),
        (Self::NO_BATCH_NORM, "no-batch-norm"),
        (Self::IMAGES_ALIKE, "images-alike"),
        (Self::CUT_OFF, "cut-off"),
        (Self::ONE_CHANNEL, "one-channel"),
        (Self::UNEVEN_BLOCK, "uneven-block"),
        (Self::FEW_POSITIONS, "few-positions"),
        (Self::NO_PARAMETERS, "no-parameters"),
    ];

    /// The names of the flags that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| name)
    }

    /// Whether all of `flags` are set.
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Whether any of `flags` is set.
    pub const fn intersects(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }
}

impl core::ops::BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl core::ops::BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn every_flag_has_a_name_of_its_own() {
        let all = Flags(u32::MAX);
        let names: Vec<_> = all.names().collect();
        assert_eq!(names.len(), Flags::NAMES.len());
        for (i, (flag, name)) in Flags::NAMES.into_iter().enumerate() {
            assert_eq!(flag.0.count_ones(), 1, "{name}");
            assert_eq!(flag.names().collect::<Vec<_>>(), [name]);
            assert!(Flags::NAMES[..i].iter().all(|(other, _)| !other.intersects(flag)), "{name}");
        }
    }
}
