//! The networks of a table: texts, or names of networks in a file.

use crate::common::failure::{At, Failure, Result, quoted};
use crate::common::setting::Setting;
use crate::common::store::Checksum;
use crate::networks::{Candidate, NetworkArguments, Origin};
use aznas::Options;
use aznas_models::Graph;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// From the column of architectures to networks.
#[derive(Clone)]
pub struct Networks {
    arguments: NetworkArguments,
    /// The text of every network in the file, by its name.
    texts: Option<Arc<HashMap<String, String>>>,
    content: Option<String>,
}

impl Networks {
    /// Those that `arguments` speak of, with the graphs of `file`.
    pub fn of(arguments: &NetworkArguments, file: Option<&Path>) -> Result<Self> {
        let (texts, content) = match (file, arguments.space) {
            (Some(path), Origin::Graph) => {
                let (texts, content) = read(path)?;
                (Some(Arc::new(texts)), Some(content))
            }
            (None, Origin::Graph) => return Err("--space graph: the table has names; --networks has the graphs".into()),
            (Some(_), _) => return Err("--networks is for --space graph".into()),
            (None, _) => (None, None),
        };
        Ok(Self { arguments: arguments.clone(), texts, content })
    }

    /// The network of an architecture in the table.
    pub fn candidate(&self, arch: &str, options: &Options) -> std::result::Result<Candidate, String> {
        let text = match &self.texts {
            None => arch,
            Some(texts) => texts.get(arch).ok_or("no network of --networks has this name")?,
        };
        self.arguments.candidate(text, options)
    }

    /// What scores depend on besides the architecture and the seed.
    pub fn setting(&self, options: &Options) -> Setting {
        self.arguments.setting(options).with("networks", self.content.as_ref())
    }

    /// The networks without what scores that come from elsewhere do not say: which file they were in.
    #[must_use]
    pub fn of_any_file(self) -> Self {
        Self { content: None, ..self }
    }
}

/// The graphs of a file by their names, and the checksum of the file: where it lies says nothing of what is in it.
fn read(path: &Path) -> Result<(HashMap<String, String>, String)> {
    let content = std::fs::read_to_string(path).at(path)?;
    let mut texts = HashMap::new();
    for (number, line) in content.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let refuse = |reason: String| Failure::content(path, format!("line {}: {reason}", number + 1));
        let Graph { name, .. } = Graph::parse(line).map_err(|error| refuse(error.to_string()))?;
        if texts.contains_key(&name) {
            return Err(refuse(format!("another network is called {}", quoted(&name))));
        }
        texts.insert(name, line.to_string());
    }
    Ok((texts, Checksum::of(content.as_bytes()).to_string()))
}
