//! Files that programs go on from: CSV files that only grow, by a line for everything that is done.
//!
//! Each line ends with a checksum of itself and of the heading, so that nothing but what was written is ever read: an
//! unfinished last line, which a crash may leave, is dropped, and damage anywhere else is refused. The heading of that
//! last column, `checksum of name=value …`, holds the [`Setting`] that all lines depend on; a file of another one is
//! refused with the difference. Files without checksums, as earlier versions wrote them, are refused too: nothing says
//! that they are whole or what they depend on.
//!
//! The checksum is FNV-1a of 64 bits, in 16 hexadecimal digits, over the heading without its end of line, and
//! then over the line up to its last comma.

use super::failure::{At, Failure, Result, quoted};
use super::setting::Setting;
use csv::StringRecord;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a line may be in the hands of the system alone, which survives the end of the program but no loss of power.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// A file that is being added to. No other program can at the same time.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    file: File,
    heading: Checksum,
    synced: Instant,
}

impl Store {
    /// Opens or creates the file of these columns and this setting. `read` is given every line there is, and says what is
    /// wrong with it. What is dropped of a last line is told on standard error.
    pub fn open(
        path: &Path,
        columns: &[&str],
        setting: &Setting,
        read: impl FnMut(&StringRecord) -> std::result::Result<(), String>,
    ) -> Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path).at(path)?;
        lock(&file, path)?;
        let heading = heading(columns, setting);
        let checksum = Checksum::of(heading.as_bytes());
        let whole = Reading { path, columns, setting, heading: &heading, checksum }.lines(&file, read)?;
        file.set_len(whole).at(path)?;
        let mut store = Self { path: path.to_path_buf(), file, heading: checksum, synced: Instant::now() };
        if whole == 0 {
            store.write(&format!("{heading}\n"))?;
            store.sync()?;
            sync_folder(path)?;
        }
        Ok(store)
    }

    /// Adds a line, which is in the file when this returns and on the disk soon after.
    pub fn append<F: AsRef<str>>(&mut self, fields: impl IntoIterator<Item = F>) -> Result<()> {
        let line = line(self.heading, fields);
        // Lines are told apart by their ends.
        if line[..line.len() - 1].contains(['\n', '\r']) {
            return Err(Failure::content(&self.path, format!("cannot hold the line break in {}", quoted(&line))));
        }
        self.write(&line)?;
        if self.synced.elapsed() >= SYNC_INTERVAL {
            self.sync()?;
        }
        Ok(())
    }

    /// Returns when everything is on the disk.
    pub fn sync(&mut self) -> Result<()> {
        self.file.sync_data().at(&self.path)?;
        self.synced = Instant::now();
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<()> {
        self.file.write_all(text.as_bytes()).at(&self.path)
    }
}

/// A line of a file with a heading.
pub struct Named<'a> {
    names: &'a StringRecord,
    fields: &'a StringRecord,
}

impl<'a> Named<'a> {
    /// The field below this name.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.fields.get(self.names.iter().position(|other| other == name)?)
    }
}

/// Reads a file that anybody may have written: with checksums it has to be whole but for its last line. Files with the same
/// heading may stand one after the other.
pub fn read_named(path: &Path, mut read: impl FnMut(&Named<'_>) -> std::result::Result<(), String>) -> Result<()> {
    let mut file = File::open(path).at(path)?;
    let mut first = Vec::new();
    BufReader::new(&file).read_until(b'\n', &mut first).at(path)?;
    let names = decoded(&first).unwrap_or_default();
    if let Some(setting) = setting_of(&names) {
        let columns: Vec<&str> = names.iter().take(names.len() - 1).collect();
        let heading = heading(&columns, &setting);
        let checksum = Checksum::of(heading.as_bytes());
        file.rewind().at(path)?;
        let reading = Reading { path, columns: &columns, setting: &setting, heading: &heading, checksum };
        return reading.lines(&file, |fields| read(&Named { names: &names, fields })).map(drop);
    }
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).at(path)?;
    let names = reader.headers().at(path)?.clone();
    for fields in reader.records() {
        let fields = fields.at(path)?;
        let number = fields.position().map_or(0, csv::Position::line);
        let row = Named { names: &names, fields: &fields };
        read(&row).map_err(|reason| Failure::content(path, format!("line {number}: {reason}")))?;
    }
    Ok(())
}

/// A new file's name, too, has to reach the disk; only Unix can open a folder for that.
fn sync_folder(path: &Path) -> Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            File::open(folder).and_then(|folder| folder.sync_all()).at(folder)
        }
        _ => Ok(()),
    }
}

/// Keeps other programs out, for as long as the file is open.
fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Failure::content(path, "another program is adding to it")),
        // Some file systems cannot lock: the file is no worse for it.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(error)) => Err(error).at(path),
    }
}

/// The last column's name without a setting.
const CHECKSUM: &str = "checksum";

/// The first line, without its end.
pub fn heading(columns: &[&str], setting: &Setting) -> String {
    let setting = setting.to_string();
    let last = if setting.is_empty() { CHECKSUM.to_string() } else { format!("{CHECKSUM} of {setting}") };
    encoded(columns.iter().copied().chain([last.as_str()]))
}

/// A line with its checksum and its end.
pub fn line<F: AsRef<str>>(heading: Checksum, fields: impl IntoIterator<Item = F>) -> String {
    let line = encoded(fields);
    let checksum = heading.and(line.as_bytes());
    format!("{line},{checksum}\n")
}

/// Fields between commas, quoted where need be.
fn encoded<F: AsRef<str>>(fields: impl IntoIterator<Item = F>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fields = fields.into_iter();
    // Nothing can go wrong in memory.
    let written = writer.write_record(fields.map(|field| field.as_ref().as_bytes().to_vec())).map_err(drop);
    let bytes = written.and_then(|()| writer.into_inner().map_err(drop)).expect("memory takes every record");
    String::from_utf8(bytes).expect("the fields are text").trim_end_matches('\n').to_string()
}

/// What a file should be.
struct Reading<'a> {
    path: &'a Path,
    columns: &'a [&'a str],
    setting: &'a Setting,
    heading: &'a str,
    checksum: Checksum,
}

impl Reading<'_> {
    /// Reads all lines; returns how many bytes of the file they take.
    fn lines(
        &self,
        file: &File,
        mut read: impl FnMut(&StringRecord) -> std::result::Result<(), String>,
    ) -> Result<u64> {
        let mut reader = BufReader::new(file);
        let (mut line, mut whole, mut number) = (Vec::new(), 0, 0u64);
        while reader.read_until(b'\n', &mut line).at(self.path)? > 0 {
            number += 1;
            let refuse = |reason: String| Failure::content(self.path, format!("line {number}: {reason}"));
            let is_last = reader.fill_buf().at(self.path)?.is_empty();
            let text = line.strip_suffix(b"\n");
            match text {
                Some(text) if number == 1 => self.check_heading(text)?,
                // Files one after the other.
                Some(text) if text == self.heading.as_bytes() => {}
                // A crash in the middle of the first line.
                None if number == 1 && self.is_beginning(&line) => break,
                None if number == 1 => self.check_heading(&line)?,
                _ => match text.ok_or_else(|| "it is cut short".to_string()).and_then(|text| self.record(text)) {
                    Ok(record) => read(&record).map_err(refuse)?,
                    Err(reason) if is_last => {
                        eprintln!("note: line {number} of {} is dropped: {reason}", self.path.display());
                        break;
                    }
                    Err(reason) => return Err(refuse(reason)),
                },
            }
            whole += line.len() as u64;
            line.clear();
        }
        Ok(whole)
    }

    /// Whether nothing but the heading can have been meant by an unfinished first line. Some file systems leave zeros where
    /// nothing was written.
    fn is_beginning(&self, line: &[u8]) -> bool {
        let end = line.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        self.heading.as_bytes().starts_with(&line[..end])
    }

    fn check_heading(&self, line: &[u8]) -> Result<()> {
        if line == self.heading.as_bytes() {
            return Ok(());
        }
        let setting = decoded(line).as_ref().and_then(setting_of);
        let differences = setting.map(|setting| setting.differences(self.setting)).unwrap_or_default();
        Err(Failure::content(
            self.path,
            if differences.is_empty() {
                let heading = quoted(self.heading);
                format!("line 1: not the heading {heading}; files of earlier versions, without checksums, are not read")
            } else {
                format!("belongs to another setting: {differences}")
            },
        ))
    }

    fn record(&self, line: &[u8]) -> std::result::Result<StringRecord, String> {
        let place = line.iter().rposition(|&byte| byte == b',').unwrap_or(0);
        let (text, last) = line.split_at(place);
        if last.strip_prefix(b",") != Some(self.checksum.and(text).to_string().as_bytes()) {
            return Err("its checksum does not fit".to_string());
        }
        let record = decoded(text).ok_or("it is not text")?;
        if record.len() != self.columns.len() {
            return Err(format!("{} fields where {} should be", record.len(), self.columns.len()));
        }
        Ok(record)
    }
}

/// The setting in a heading with checksums.
fn setting_of(heading: &StringRecord) -> Option<Setting> {
    let rest = heading.iter().next_back()?.strip_prefix(CHECKSUM)?;
    Some(Setting::parse(rest.strip_prefix(" of ").unwrap_or(rest)))
}

/// The fields of a line, if it is text.
fn decoded(line: &[u8]) -> Option<StringRecord> {
    csv::ReaderBuilder::new().has_headers(false).from_reader(line).records().next()?.ok()
}

/// FNV-1a of 64 bits: a change of one byte always changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum(u64);

impl Checksum {
    /// Of the bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(0xcbf2_9ce4_8422_2325).and(bytes)
    }

    /// Of what came before, and the bytes.
    pub fn and(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
    }
}

impl std::fmt::Display for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
