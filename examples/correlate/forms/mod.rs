//! How exhibits are shown: a form a file.

pub mod favourites;
pub mod scatters;
pub mod square;
pub mod table;
