//! Where the networks that are scored come from: texts of a space, graphs as text, or ONNX models.
#![allow(dead_code)] // each program uses its part

use crate::common::batch::{self, AUTO};
use crate::common::refusal;
use crate::common::scoring::ScoringArguments;
use crate::common::setting::Setting;
use crate::common::space::{self, OpenArguments};
use aznas::graph::Network;
use aznas::proxy::ProxySet;
use aznas::spaces::SpaceName;
use aznas::tensor::{Random, Source};
use aznas::{Error, Options};
use aznas_models::Graph;
use aznas_models::onnx::{Cut, Model};
use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::fmt::Display;

/// Where networks come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Texts of a space.
    Space(SpaceName),
    /// Graphs as text.
    Graph,
    /// Files of ONNX models.
    Onnx,
}

/// The networks on the command line, and what their texts leave open.
#[derive(Clone, Debug, clap::Args)]
pub struct NetworkArguments {
    /// The search space, or the kind of file
    #[arg(long, default_value = SpaceName::Nb201.name(), value_parser = parser())]
    pub space: Origin,
    #[command(flatten)]
    pub open: OpenArguments,
    /// Tensors that blocks end at, between commas [default: by rule, see docs/own-networks.md] (onnx)
    #[arg(long, value_delimiter = ',', value_name = "TENSORS")]
    pub cut: Vec<String>,
    /// Whose parameters a network is scored with (onnx)
    #[arg(long, value_enum, default_value_t = Weights::Drawn)]
    pub weights: Weights,
}

/// Where the parameters of a network come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Weights {
    /// From the seed
    Drawn,
    /// From the file
    File,
}

fn parser() -> impl TypedValueParser<Value = Origin> {
    let files = [
        PossibleValue::new("graph").help("Graphs as text, a JSON object a line (docs/own-networks.md)"),
        PossibleValue::new("onnx").help("ONNX models, a file each"),
    ];
    PossibleValuesParser::new(space::spaces().into_iter().chain(files)).try_map(|name| match name.as_str() {
        "graph" => Ok(Origin::Graph),
        "onnx" => Ok(Origin::Onnx),
        name => space::by_name(name).map(Origin::Space).ok_or("not a space"),
    })
}

/// A network to score.
pub struct Candidate {
    /// What it is called in results; nothing if that is its text.
    pub name: Option<String>,
    pub network: Box<dyn Network + Send + Sync>,
    /// Rows and columns of its images, if it says so itself.
    pub images: Option<[usize; 2]>,
    /// The tensors that its blocks end at, if these have names.
    pub features: Vec<String>,
    /// Whence its parameters come.
    pub source: Box<dyn Source + Send + Sync>,
    /// What whoever scores it should know.
    pub remark: Option<&'static str>,
}

impl Candidate {
    /// The options with what they leave to the network.
    pub fn options(&self, options: &Options) -> Options {
        let options = match self.images {
            Some([height, width]) if options.height == OWN => Options { height, width, ..*options },
            _ => *options,
        };
        // A network that has no such batch is refused by its score.
        let needed = || batch::of_network(&*self.network, [options.height, options.width]).unwrap_or(1);
        let batch = if options.batch == AUTO { needed() } else { options.batch };
        Options { batch, ..options }
    }

    /// Bytes of workspace that a score takes.
    pub fn workspace_size(&self, options: &Options) -> Result<usize, Error> {
        aznas::workspace_size(&*self.network, &self.options(options), &*self.source)
    }

    /// The network as a graph of this name.
    pub fn graph(&self, name: &str, options: &Options) -> Result<Graph, Error> {
        let Options { height, width, .. } = self.options(options);
        Graph::of(&*self.network, self.name.as_deref().unwrap_or(name), height, width)
    }
}

/// The resolution that leaves it to the network.
const OWN: usize = 0;

impl NetworkArguments {
    /// The library's options for scores that know at least these proxies.
    pub fn options(&self, scoring: &ScoringArguments, proxies: ProxySet) -> Options {
        match self.space {
            Origin::Space(space) => scoring.options_in(space, |side| self.open.settings(space, side), proxies),
            Origin::Graph | Origin::Onnx => scoring.options(OWN, proxies),
        }
    }

    /// What scores depend on besides the network and the seed.
    pub fn setting(&self, options: &Options) -> Setting {
        let setting = match self.space {
            Origin::Space(space) => Setting::of_scores(space, &self.open.settings(space, options.height), options),
            Origin::Graph => Setting::of_files("graph", options),
            Origin::Onnx => Setting::of_files("onnx", options),
        };
        let weights = (self.weights == Weights::File).then_some("file");
        setting.with("cut", Some(self.cut.join(",")).filter(|cut| !cut.is_empty())).with("weights", weights)
    }

    /// The network that `text` describes, or the file of this name; or why there is none.
    pub fn candidate(&self, text: &str, options: &Options) -> Result<Candidate, String> {
        if self.space != Origin::Onnx && (!self.cut.is_empty() || self.weights == Weights::File) {
            return Err("--cut and --weights file are for --space onnx".into());
        }
        let is_reduced = self.open.score_width.is_some() || self.open.score_cells.is_some();
        if is_reduced && !matches!(self.space, Origin::Space(_)) {
            return Err("--score-width and --score-cells are for networks of a space".into());
        }
        let plain = |network| Candidate {
            name: None,
            network,
            images: None,
            features: Vec::new(),
            source: Box::new(Random),
            remark: None,
        };
        match self.space {
            Origin::Space(space) => {
                let settings = self.open.settings(space, space.policy().resolution as usize);
                let network = space.network(&settings, text.as_bytes());
                network.map(plain).map_err(|error| refusal::of_text(space, text, error))
            }
            Origin::Graph => {
                let graph = Graph::parse(text).map_err(|error| error.to_string())?;
                let (name, [_, height, width]) = (Some(graph.name.clone()), graph.input);
                Ok(Candidate { name, images: Some([height, width]), ..plain(Box::new(graph)) })
            }
            Origin::Onnx => {
                let of_file = |error: &dyn Display| format!("{text}: {error}");
                let bytes = std::fs::read(text).map_err(|error| of_file(&error))?;
                let cut = if self.cut.is_empty() { Cut::Automatic } else { Cut::At(self.cut.clone()) };
                let resolution = (options.height != OWN).then_some(options.height);
                let model = Model::read(&bytes, text, resolution, &cut).map_err(|error| of_file(&error))?;
                let [_, height, width] = model.graph.input;
                let source: Box<dyn Source + Send + Sync> = match self.weights {
                    Weights::Drawn => Box::new(Random),
                    Weights::File => Box::new(model.weights().clone()),
                };
                Ok(Candidate {
                    name: Some(model.graph.name.clone()),
                    images: Some([height, width]),
                    source,
                    remark: model.may_be_folded.then_some(FOLDED),
                    features: model.features,
                    ..plain(Box::new(model.graph))
                })
            }
        }
    }

    /// The proxies out of `proxies` that the space has.
    pub fn ranked(&self, proxies: ProxySet) -> ProxySet {
        match self.space {
            Origin::Space(space) => space::ranked(space, proxies),
            Origin::Graph | Origin::Onnx => proxies,
        }
    }
}

/// What is said of a model with biases and no normalisation.
const FOLDED: &str = "convolutions without a normalisation: was it exported with batch normalisations folded?";
