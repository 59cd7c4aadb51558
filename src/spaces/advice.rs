//! What to tell about a text that a space does not read: what its texts look like, and whose text this may be.

use super::{Cursor, Settings, Space, SpaceName, Visitor};
use crate::Error;
use core::fmt;

impl SpaceName {
    /// The space that a text looks like: the one that reads it whole, or else the most of it. None if all stumble over its
    /// first byte, or several get equally far.
    pub fn of_text(text: &[u8]) -> Option<Self> {
        let reach = |space: Self| {
            let settings: &Settings = &space.policy().settings;
            space.visit(settings, Reach(text)).unwrap_or(0)
        };
        let nothing = Cursor::new(text).column();
        let (mut farthest, mut found) = (nothing, None);
        for &space in Self::ALL {
            let reach = reach(space);
            if reach > farthest {
                (farthest, found) = (reach, Some(space));
            } else if reach == farthest {
                found = None;
            }
        }
        found
    }

    /// What to tell about `text`, which this space does not read.
    pub fn advice(self, text: &[u8]) -> Advice {
        Advice { space: self, resembled: Self::of_text(text) }
    }
}

/// How far a space reads a text: the column of the first byte that does not fit, one beyond the last if all do.
struct Reach<'t>(&'t [u8]);

impl Visitor for Reach<'_> {
    type Output = usize;

    fn visit<S: Space>(self, space: S) -> usize {
        match space.parse(self.0) {
            Err(Error::Parse { column, .. }) => column,
            // Read, or understood well enough to be refused for what it says.
            _ => usize::MAX,
        }
    }
}

/// Prints what a text of a space looks like, and which other space a refused one looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// The space that refused the text.
    pub space: SpaceName,
    /// The space that the text looks like, if there is one.
    pub resembled: Option<SpaceName>,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy = self.space.policy();
        write!(f, "a text of {} looks like {}", policy.name, policy.form)?;
        match self.resembled {
            Some(other) if other != self.space => write!(f, "; this one looks like a text of {}", other.name()),
            _ => Ok(()),
        }
    }
}
