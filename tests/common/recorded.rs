//! Networks as recorded, with what their gradients and the proxies of whole networks are (`tests/golden/README.md`).

use super::record::Record;
use aznas::tensor::{Role, Source};

/// All of them.
pub const NETWORKS: [&str; 13] = [
    "nb201_best",
    "nb201_all_conv3x3",
    "nb201_mixed",
    "nb201_avg_pool_all",
    "nb201_skip_all",
    "nb201_identity",
    "nb201_none",
    "nb201_full",
    "mbv2_a",
    "mbv2_b",
    "vit_tiny",
    "nb101_cut",
    "nds_cifar",
];

/// A network, and what its gradients are.
pub struct Recorded {
    pub record: Record,
    pub proxies: Record,
    pub labels: [Vec<u32>; 2],
}

impl Recorded {
    /// Reads both files.
    pub fn read(name: &str) -> Self {
        let (record, proxies) = (Record::read(name), Record::read(&format!("proxies_{name}")));
        let labels = ["labels", "second_labels"].map(|name| {
            let words = proxies.bytes[name].chunks_exact(4);
            words.map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect()
        });
        Self { record, proxies, labels }
    }
}

impl Source for Recorded {
    fn input(&self) -> Option<&[f32]> {
        self.record.input()
    }
    fn batch(&self, number: u32) -> Option<&[f32]> {
        [self.input(), self.proxies.single.get("second_input").map(Vec::as_slice)][number as usize]
    }
    fn labels(&self, batch: u32) -> Option<&[u32]> {
        Some(&self.labels[batch as usize])
    }
    fn parameter(&self, block: usize, key: u32, role: Role) -> Option<&[f32]> {
        self.record.parameter(block, key, role)
    }
}
