//! What has been scored already: a file that only grows, so that an interrupted run goes on where it stopped.

use crate::common::failure::{Result, quoted};
use crate::common::setting::Setting;
use crate::common::store::Store;
use aznas::proxy::{Flags, Proxy};
use csv::StringRecord;
use std::collections::HashMap;
use std::path::Path;

/// The proxies that are measured; the others are counted on the graph whenever they are needed.
pub const MEASURED: [Proxy; 4] =
    [Proxy::Expressivity, Proxy::Progressivity, Proxy::Trainability, Proxy::MeanProgressivity];

/// What was measured of an architecture, and what that took.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// In the order of [`MEASURED`].
    pub proxies: [f64; 4],
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

/// A line of the file.
type Line<'a> = (&'a str, u64, &'a str, [f64; MEASURED.len()], u32, f64, u64);

impl Scored {
    /// Opens or creates the file. Lines say themselves what their scores depend on.
    pub fn open(path: &Path) -> Result<Self> {
        let names = MEASURED.map(Proxy::name);
        let mut columns = vec!["setting", "seed", "arch"];
        columns.extend(names);
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
        fields.extend(record.proxies.map(|value| value.to_string()));
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
        let bits = |record: &Record| record.proxies.map(f64::to_bits);
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
        let proxies = MEASURED.map(|proxy| scores.get(proxy));
        let Flags(flags) = scores.flags;
        Self { proxies, flags, milliseconds: 0.0, workspace_bytes: 0 }
    }
}

fn read(line: &StringRecord) -> std::result::Result<((String, u64), String, Record), String> {
    let line: Line<'_> = line.deserialize(None).map_err(|error| error.to_string())?;
    let (setting, seed, arch, proxies, flags, milliseconds, workspace_bytes) = line;
    let record = Record { proxies, flags, milliseconds, workspace_bytes };
    Ok(((setting.to_string(), seed), arch.to_string(), record))
}
