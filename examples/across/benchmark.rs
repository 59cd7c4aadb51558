//! A benchmark: accuracies of networks, and every proxy of them.

use crate::common::failure::{At, Failure, Result};
use crate::statistics::{discounted_gain, doubled_ranks, kendall, kendall_at_equal_size};
use aznas::aggregate::{Mode, aggregate};
use aznas::proxy::{Proxy, ProxySet};
use std::path::Path;

/// The networks of one table.
pub struct Benchmark {
    pub name: String,
    pub accuracies: Vec<f64>,
    /// The proxies that there are columns of.
    pub measured: ProxySet,
    /// Their doubled ranks.
    truth: Vec<u32>,
    /// Each proxy by its number.
    columns: Vec<Vec<f64>>,
    /// What each proxy adds to an aggregate, by its number.
    contributions: Vec<Vec<f64>>,
}

/// What is said of a ranking. Nothing where it is undefined.
pub struct Figures([Option<f64>; 5]);

impl Figures {
    pub const NAMES: [&'static str; 5] =
        ["tau", "tau at equal multiply-adds", "tau at equal parameters", "top-10 gain", "top-100 gain"];

    pub fn values(self) -> impl Iterator<Item = Option<f64>> {
        self.0.into_iter()
    }
}

impl Benchmark {
    /// Reads the rows that `correlate` has left in `folder`.
    pub fn read(folder: &Path, column: Option<&str>) -> Result<Self> {
        let path = folder.join("ranks.csv");
        let mut reader = csv::Reader::from_path(&path).at(&path)?;
        let heading = reader.headers().at(&path)?.clone();
        let place = |name: &str| {
            let found = heading.iter().position(|own| own == name);
            found.ok_or_else(|| Failure::content(&path, format!("has no column {name}")))
        };
        // The architecture is first, and then accuracies until the first proxy.
        let truth = column.map_or(Ok(1), place)?;
        let places = Proxy::ALL.map(|proxy| place(proxy.name()).ok());
        let measured = Proxy::ALL.into_iter().filter(|&proxy| places[proxy as usize].is_some());
        let measured = measured.fold(ProxySet::of(&[]), ProxySet::with);
        let (mut accuracies, mut columns) = (Vec::new(), vec![Vec::new(); Proxy::COUNT]);
        for (row, record) in reader.records().enumerate() {
            let record = record.at(&path)?;
            let number = |place: usize| {
                let field = &record[place];
                let refuse = || format!("line {}: {}: {field:?} is not a number", row + 2, &heading[place]);
                field.parse::<f64>().map_err(|_| Failure::content(&path, refuse()))
            };
            if record[truth].is_empty() {
                continue;
            }
            accuracies.push(number(truth)?);
            for (column, place) in columns.iter_mut().zip(places) {
                // A proxy that was not measured says nothing of any network.
                let value = place.filter(|&place| !record[place].is_empty()).map_or(Ok(0.0), number)?;
                column.push(value);
            }
        }
        if accuracies.len() < 2 {
            return Err(Failure::content(&path, "has fewer than two networks with accuracies"));
        }
        let contributions = columns.iter().map(|column| contribution(column)).collect();
        let name = folder.file_name().map_or_else(|| folder.display().to_string(), |name| name.display().to_string());
        Ok(Self { name, truth: doubled_ranks(&accuracies), accuracies, measured, columns, contributions })
    }

    /// Refuses a set of which a proxy was not measured, which would count as if it told nothing apart.
    pub fn has_measured(&self, set: ProxySet) -> Result<()> {
        let missing = set.without(self.measured);
        let message = || format!("{}: no column of {missing}, which --set {set} asks for", self.name);
        if missing.is_empty() { Ok(()) } else { Err(Failure::Message(message())) }
    }

    /// A proxy of every network.
    pub fn column(&self, proxy: Proxy) -> &[f64] {
        &self.columns[proxy as usize]
    }

    /// How many networks there are.
    pub fn len(&self) -> usize {
        self.truth.len()
    }

    /// Kendall's τ of the aggregate of a set; 0 where nothing is told apart.
    pub fn tau(&self, set: ProxySet) -> f64 {
        kendall(&self.ranks(set), &self.truth).unwrap_or(0.0)
    }

    /// All that is said of the aggregate of a set.
    pub fn figures(&self, set: ProxySet) -> Figures {
        let ranks = self.ranks(set);
        let equal = |size| kendall_at_equal_size(&ranks, &self.truth, self.column(size));
        let gain = |count| discounted_gain(&ranks, &self.truth, count);
        Figures([kendall(&ranks, &self.truth), equal(Proxy::Flops), equal(Proxy::Params), gain(10), gain(100)])
    }

    fn ranks(&self, set: ProxySet) -> Vec<u32> {
        let mut sums = vec![0.0; self.truth.len()];
        for proxy in set.iter() {
            sums.iter_mut().zip(&self.contributions[proxy as usize]).for_each(|(sum, more)| *sum += more);
        }
        doubled_ranks(&sums)
    }
}

/// What a proxy adds to an aggregate.
pub fn contribution(column: &[f64]) -> Vec<f64> {
    let (mut out, mut scratch) = (vec![0.0; column.len()], vec![0; column.len()]);
    aggregate(&[column], &[1.0], Mode::Log, &mut out, &mut scratch).expect("lengths agree");
    out
}
