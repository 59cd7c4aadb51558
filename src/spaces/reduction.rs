//! How much of a network is scored in its place.

use crate::Error;
#[cfg(not(feature = "small"))]
use core::num::{NonZeroU8, NonZeroU16};

/// A smaller network of the same space that is scored in place of an architecture's own, which counts at
/// [`Settings::target_resolution`](super::Settings::target_resolution): see [`StandIn`](crate::graph::StandIn). Each space
/// says what its cells are. In small builds there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reduction(Left);

/// The share of the channels in percent, and the most cells in a row.
#[cfg(not(feature = "small"))]
type Left = (NonZeroU8, NonZeroU16);

/// Nothing, so that settings take no room for it.
#[cfg(feature = "small")]
type Left = core::convert::Infallible;

/// What cannot be reduced, and by which setting.
const LEFT_OUT: Error = Error::Invalid { field: "score_width", expected: "left open: these networks are scored whole" };

#[cfg(not(feature = "small"))]
fn left(width: u32, cells: u32) -> Result<Left, Error> {
    const PERCENT: Error = Error::Invalid { field: "score_width", expected: "from 1 to 100 percent" };
    let width = u8::try_from(width).ok().filter(|width| *width <= 100).and_then(NonZeroU8::new).ok_or(PERCENT)?;
    // No network has more in a row than this type holds.
    let cells = NonZeroU16::new(u16::try_from(cells).unwrap_or(u16::MAX));
    let cells = cells.ok_or(Error::Invalid { field: "score_cells", expected: "at least 1" })?;
    Ok((width, cells))
}

#[cfg(feature = "small")]
fn left(_: u32, _: u32) -> Result<Left, Error> {
    Err(LEFT_OUT)
}

#[cfg(not(feature = "small"))]
const fn numbers((width, cells): Left) -> [u32; 2] {
    [width.get() as u32, cells.get() as u32]
}

#[cfg(feature = "small")]
const fn numbers(left: Left) -> [u32; 2] {
    match left {}
}

impl Reduction {
    /// The share of the channels that is left, in percent from 1 to 100, and the most cells in a row.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a share out of this range, for no cell, and in small builds, which score whole networks.
    pub fn new(width: u32, cells: u32) -> Result<Self, Error> {
        left(width, cells).map(Self)
    }

    /// The reduction that is asked for, if any is.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn given(width: Option<u32>, cells: Option<u32>) -> Result<Option<Self>, Error> {
        let is_given = width.is_some() || cells.is_some();
        is_given.then(|| Self::new(width.unwrap_or(100), cells.unwrap_or(u32::MAX))).transpose()
    }

    /// The share of the channels that is left, in percent.
    pub const fn width(&self) -> u32 {
        numbers(self.0)[0]
    }

    /// The most cells in a row.
    pub const fn cells(&self) -> u32 {
        numbers(self.0)[1]
    }

    /// What is left of so many channels: the nearest number, half-way to the larger one.
    ///
    /// # Errors
    /// [`Error::Invalid`] if none is.
    pub(super) fn channels(&self, channels: u32) -> Result<u32, Error> {
        let left = (u64::from(channels) * u64::from(self.width()) + 50) / 100;
        match left as u32 {
            0 => Err(Error::Invalid { field: "score_width", expected: "enough to leave a channel" }),
            left => Ok(left),
        }
    }

    /// Refuses any, for networks that are only scored whole.
    pub(super) fn refuse(reduction: Option<Self>) -> Result<(), Error> {
        reduction.map_or(Ok(()), |_| Err(LEFT_OUT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_fields_are_named() {
        let field = |width, cells| match Reduction::given(width, cells) {
            Err(Error::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        for width in [0, 101, u32::MAX] {
            assert_eq!(field(Some(width), None), "score_width");
        }
        assert_eq!(field(None, Some(0)), "score_cells");
        assert_eq!(Reduction::given(None, None), Ok(None));
        assert_eq!(Reduction::given(None, Some(2)), Reduction::new(100, 2).map(Some));
    }

    #[test]
    fn channels_are_the_nearest_and_never_none() {
        let left = |channels, width| Reduction::new(width, 1).unwrap().channels(channels);
        for channels in [1, 2, 3, 16, 65536] {
            assert_eq!(left(channels, 100), Ok(channels));
            for width in 1..100 {
                let exact = f64::from(channels) * f64::from(width) / 100.0;
                match left(channels, width) {
                    Ok(left) => assert!((f64::from(left) - exact).abs() <= 0.5 && left >= 1),
                    Err(error) => {
                        assert!(exact < 0.5 && matches!(error, Error::Invalid { field: "score_width", .. }));
                    }
                }
            }
        }
    }
}
