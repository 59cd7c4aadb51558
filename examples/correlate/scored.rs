//! What has been scored already: a file that only grows, so that an interrupted run goes on where it stopped.

use crate::common::failure::{Result, quoted};
use crate::common::setting::Setting;
use crate::common::store::Store;
use aznas::proxy::{Flags, Proxy, ProxySet};
use csv::StringRecord;
use std::collections::HashMap;
use std::path::Path;

/// The proxies that have to be measured; the others are counted on the graph whenever they are needed.
pub fn measurable() -> ProxySet {
    ProxySet::ALL.without(ProxySet::of(&[]).measured())
}

/// What was measured of an architecture, and what that took.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Those of [`measurable`] in their order; NaN for what the setting does not ask for.
    pub proxies: Vec<f64>,
    pub flags: u32,
    pub milliseconds: f64,
    pub workspace_bytes: u64,
}

/// Scores by setting and seed, and then by architecture; with a file, or joined from elsewhere and then not added to.
#[derive(Default)]
pub struct Scored {
    store: Option<Store>,
    records: HashMap<(String, u64), HashMap<String, Record>>,
}

impl Scored {
    /// Opens or creates the file. Lines say themselves what their scores depend on.
    pub fn open(path: &Path) -> Result<Self> {
        let mut columns = vec!["setting", "seed", "arch"];
        columns.extend(measurable().iter().map(Proxy::name));
        columns.extend(["flags", "milliseconds", "workspace_bytes"]);
        let mut records: HashMap<_, HashMap<_, _>> = HashMap::new();
        let store = Store::open(path, &columns, &Setting::default(), |line| {
            let (key, arch, record) = read(line)?;
            records.entry(key).or_default().insert(arch, record);
            Ok(())
        })?;
        Ok(Self { store: Some(store), records })
    }

    /// The scores under a setting and a seed, by architecture.
    pub fn of(&self, setting: &Setting, seed: u64) -> Option<&HashMap<String, Record>> {
        self.records.get(&(setting.to_string(), seed))
    }

    /// What there is beside a setting of which there is nothing: how many scores, and how the nearest setting differs.
    pub fn others(&self, setting: &Setting) -> Option<(usize, String)> {
        let text = setting.to_string();
        if self.records.keys().any(|(other, _)| *other == text) {
            return None;
        }
        let differences = self.records.keys().map(|(other, _)| Setting::parse(other).differences(setting));
        let nearest = differences.min_by_key(|text| (text.matches(" and is ").count(), text.clone()));
        Some((self.records.values().map(HashMap::len).sum(), nearest?))
    }

    /// Keeps a score, on disk too when this returns.
    pub fn add(&mut self, setting: &Setting, seed: u64, arch: String, record: Record) -> Result<()> {
        let setting = setting.to_string();
        let mut fields = vec![setting.clone(), seed.to_string(), arch.clone()];
        let written = |value: &f64| if value.is_nan() { String::new() } else { value.to_string() };
        fields.extend(record.proxies.iter().map(written));
        fields.push(record.flags.to_string());
        fields.push(format!("{:.3}", record.milliseconds));
        fields.push(record.workspace_bytes.to_string());
        self.store.as_mut().map_or(Ok(()), |store| store.append(fields))?;
        self.records.entry((setting, seed)).or_default().insert(arch, record);
        Ok(())
    }

    /// Takes a score from elsewhere, unless there is another one of the same already.
    pub fn join(
        &mut self,
        setting: &Setting,
        seed: u64,
        arch: String,
        record: Record,
    ) -> std::result::Result<(), String> {
        let records = self.records.entry((setting.to_string(), seed)).or_default();
        let bits = |record: &Record| record.proxies.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        match records.get(&arch) {
            Some(other) if bits(other) != bits(&record) => {
                Err(format!("other scores than before of {} under seed {seed}", quoted(&arch)))
            }
            _ => {
                records.insert(arch, record);
                Ok(())
            }
        }
    }

    /// Whether scores can be added.
    pub fn is_open(&self) -> bool {
        self.store.is_some()
    }
}

impl From<&aznas::Scores> for Record {
    fn from(scores: &aznas::Scores) -> Self {
        let value = |proxy| if scores.measured.contains(proxy) { scores.get(proxy) } else { f64::NAN };
        let proxies = measurable().iter().map(value).collect();
        let Flags(flags) = scores.flags;
        Self { proxies, flags, milliseconds: 0.0, workspace_bytes: 0 }
    }
}

fn read(line: &StringRecord) -> std::result::Result<((String, u64), String, Record), String> {
    type Begin<'a> = (&'a str, u64, &'a str);
    type End = (u32, f64, u64);
    let count = measurable().len();
    let fields =
        |range: std::ops::Range<usize>| line.iter().skip(range.start).take(range.len()).collect::<StringRecord>();
    let fault = |error: csv::Error| error.to_string();
    let (begin, end) = (fields(0..3), fields(3 + count..line.len()));
    let (setting, seed, arch): Begin<'_> = begin.deserialize(None).map_err(fault)?;
    let (flags, milliseconds, workspace_bytes): End = end.deserialize(None).map_err(fault)?;
    let value = |field: &str| if field.is_empty() { Ok(f64::NAN) } else { field.parse() };
    let proxies: std::result::Result<Vec<f64>, _> = fields(3..3 + count).iter().map(value).collect();
    let proxies = proxies.map_err(|error| error.to_string())?;
    let record = Record { proxies, flags, milliseconds, workspace_bytes };
    Ok(((setting.to_string(), seed), arch.to_string(), record))
}
