//! What a candidate may cost.

use super::Cost;

/// Limits on the [`Cost`] of a candidate; `None` (the default) does not limit. A cost equal to its limit is admitted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budget {
    /// At most as many multiply-adds.
    pub complexity: Option<f64>,
    /// At most as many parameters.
    pub parameters: Option<u64>,
    /// At least as many parameters: the published AutoFormer searches sample from a window.
    pub minimum_parameters: Option<u64>,
    /// At most as many layers.
    pub layers: Option<u32>,
    /// At most as many bytes of workspace.
    pub workspace_bytes: Option<u64>,
    /// At most as many numbers held at a time by inference.
    pub peak_activation: Option<u64>,
    /// At most as much of the caller's own quantity.
    pub custom: Option<f64>,
}

impl Budget {
    /// Whether every limit is kept. A cost that is NaN keeps no limit.
    pub fn admits(&self, cost: &Cost) -> bool {
        within(cost.complexity, self.complexity)
            && within(cost.parameters, self.parameters)
            && self.minimum_parameters.is_none_or(|minimum| cost.parameters >= minimum)
            && within(cost.layers, self.layers)
            && within(cost.workspace_bytes, self.workspace_bytes)
            && within(cost.peak_activation, self.peak_activation)
            && within(cost.custom, self.custom)
    }
}

fn within<T: PartialOrd>(cost: T, limit: Option<T>) -> bool {
    limit.is_none_or(|limit| cost <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_rejects_just_above() {
        let cost = Cost {
            complexity: 450e6,
            parameters: 5_000_000,
            layers: 14,
            workspace_bytes: 1 << 20,
            peak_activation: 1 << 18,
            custom: 2.5,
        };
        let none = Budget::default();
        assert!(none.admits(&cost));
        let cases = [
            (Budget { complexity: Some(450e6), ..none }, true),
            (Budget { complexity: Some(450e6 - 1.0), ..none }, false),
            (Budget { parameters: Some(5_000_000), ..none }, true),
            (Budget { parameters: Some(4_999_999), ..none }, false),
            (Budget { minimum_parameters: Some(5_000_000), ..none }, true),
            (Budget { minimum_parameters: Some(5_000_001), ..none }, false),
            (Budget { layers: Some(14), ..none }, true),
            (Budget { layers: Some(13), ..none }, false),
            (Budget { workspace_bytes: Some(1 << 20), ..none }, true),
            (Budget { workspace_bytes: Some((1 << 20) - 1), ..none }, false),
            (Budget { peak_activation: Some(1 << 18), ..none }, true),
            (Budget { peak_activation: Some((1 << 18) - 1), ..none }, false),
            (Budget { custom: Some(2.5), ..none }, true),
            (Budget { custom: Some(2.4), ..none }, false),
            (Budget { complexity: Some(450e6), layers: Some(13), ..none }, false),
        ];
        for (budget, admitted) in cases {
            assert_eq!(budget.admits(&cost), admitted, "{budget:?}");
        }
        let unknown = Cost { custom: f64::NAN, ..cost };
        assert!(none.admits(&unknown));
        assert!(!Budget { custom: Some(1e9), ..none }.admits(&unknown));
    }
}
