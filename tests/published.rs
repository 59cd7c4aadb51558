//! Scores at the paper's setting against what the authors' program gives.

mod common;

use aznas::Options;

/// The cell that the authors' notebook selects over all 15,625; ranges from two seeds of their program, widened.
#[test]
fn the_selected_cell_scores_as_published_for_every_seed() {
    let text = "|skip_connect~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|nor_conv_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|";
    let network = common::cell_network(text, 16, 5, 10);
    for seed in 1..=5 {
        let (scores, _) = common::score(&network, &Options { seed, ..Options::default() });
        println!("seed {seed}: {scores:?}");
        assert_eq!(scores.complexity(), 121_815_690.0);
        assert_eq!(scores.cost.parameters, 858_426);
        assert!((57.9..=59.2).contains(&scores.expressivity()), "{scores:?}");
        assert!((-0.12..=0.02).contains(&scores.progressivity()), "{scores:?}");
        assert!((-0.12..=-0.02).contains(&scores.trainability()), "{scores:?}");
    }
}

/// Degenerate cells: zero output, identity, sums of copies (ranges from two seeds of the authors' program, widened).
#[test]
fn degenerate_cells_score_as_published() {
    let cases = [
        ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", None, None, Some(-882_352.0..=-882_350.5)),
        ("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|", Some(56.6..=57.6), Some(0.0..=0.0), None),
        (
            "|skip_connect~0|+|none~0|none~1|+|skip_connect~0|skip_connect~1|none~2|",
            Some(37.0..=39.5),
            Some(-0.65..=-0.35),
            Some(-0.66..=-0.62),
        ),
        (
            "|none~0|+|none~0|none~1|+|avg_pool_3x3~0|none~1|none~2|",
            Some(43.2..=44.2),
            Some(-0.5..=-0.36),
            Some(-4.0..=-3.93),
        ),
    ];
    for (text, expressivity, progressivity, trainability) in cases {
        let (scores, _) = common::score(&common::cell_network(text, 16, 5, 10), &Options::default());
        let fits = |value: f64, range: Option<std::ops::RangeInclusive<f64>>| match range {
            Some(range) => range.contains(&value),
            None => value == f64::NEG_INFINITY,
        };
        assert!(fits(scores.expressivity(), expressivity), "{text}: {scores:?}");
        assert!(fits(scores.progressivity(), progressivity), "{text}: {scores:?}");
        assert!(fits(scores.trainability(), trainability), "{text}: {scores:?}");
    }
}
