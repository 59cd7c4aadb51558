//! Which set of proxies to recommend, judged on rows that had no part in the choice.

use crate::statistics::{doubled_ranks, kendall};
use crate::study::{Truth, best_subset, combined};
use aznas::aggregate::Mode;
use aznas::base::rng::{Generator, below, generator};
use aznas::proxy::{Proxy, ProxySet};
use rayon::prelude::*;

/// Random halvings of the rows.
pub const SPLITS: u64 = 10;
/// Most rows that take part: every subset is ranked in every half.
const MOST_ROWS: usize = 10_000;

/// One halving: the set that was best on one half, and τ on the other.
pub struct Split {
    pub best: ProxySet,
    /// τ of the best set on the half it was chosen on.
    pub chosen_on: f64,
    /// τ on the other half: of the best set, the paper's and the extended.
    pub evaluated: [f64; 3],
    /// τ of each of [`controls`] on the other half.
    pub controls: Vec<f64>,
}

/// What a control aggregates.
pub struct Control {
    pub name: String,
    members: Vec<Member>,
}

#[derive(Clone, Copy)]
enum Member {
    Intact(Proxy),
    /// The proxy's values dealt out anew, so that they say nothing.
    Shuffled(Proxy),
}

/// Variants of the two sets that show what a member is worth and what any additional member would do.
pub fn controls(known: ProxySet) -> Vec<Control> {
    let intact = |set: ProxySet| set.iter().map(Member::Intact).collect::<Vec<_>>();
    let with = |name: String, set: ProxySet, member: Member| {
        let mut members = intact(set);
        members.push(member);
        Control { name, members }
    };
    let mut controls = vec![
        Control { name: "paper".into(), members: intact(ProxySet::PAPER) },
        with("paper + C again".into(), ProxySet::PAPER, Member::Intact(Proxy::Complexity)),
        with("paper + D shuffled".into(), ProxySet::PAPER, Member::Shuffled(Proxy::Depth)),
        with("paper + D".into(), ProxySet::PAPER, Member::Intact(Proxy::Depth)),
        Control {
            name: "paper with Pm for P".into(),
            members: intact(ProxySet::of(&[
                Proxy::Expressivity,
                Proxy::MeanProgressivity,
                Proxy::Trainability,
                Proxy::Complexity,
            ])),
        },
        Control { name: "extended".into(), members: intact(ProxySet::EXTENDED) },
    ];
    for left_out in ProxySet::EXTENDED.iter() {
        let rest = intact(ProxySet::EXTENDED).into_iter();
        let shuffle = |member| match member {
            Member::Intact(proxy) if proxy == left_out => Member::Shuffled(proxy),
            member => member,
        };
        let name = format!("extended, {} shuffled", left_out.symbol());
        controls.push(Control { name, members: rest.map(shuffle).collect() });
    }
    for more in known.without(ProxySet::EXTENDED).iter() {
        controls.push(with(format!("extended + {}", more.symbol()), ProxySet::EXTENDED, Member::Intact(more)));
    }
    controls
}

/// Halves the rows of `truth` again and again, and chooses out of `candidates`; `None` if there are too few rows, or τ is
/// undefined somewhere.
pub fn study(
    columns: &[Vec<f64>],
    known: ProxySet,
    candidates: ProxySet,
    truth: &Truth,
    seed: u64,
) -> Option<Vec<Split>> {
    let controls = controls(known);
    (0..SPLITS)
        .into_par_iter()
        .map(|number| {
            let mut rng = generator(seed.wrapping_mul(SPLITS).wrapping_add(number));
            let mut places: Vec<usize> = (0..truth.rows.len()).collect();
            shuffle(&mut places, &mut rng);
            places.truncate(MOST_ROWS);
            let (chosen_on, evaluated_on) = places.split_at(places.len() / 2);
            let halves = [chosen_on, evaluated_on].map(|places| Half::of(columns, truth, places));
            split(&halves, candidates, &controls, &mut rng)
        })
        .collect()
}

fn split(
    [chosen_on, evaluated_on]: &[Half; 2],
    candidates: ProxySet,
    controls: &[Control],
    rng: &mut Generator,
) -> Option<Split> {
    let best = best_subset(candidates, |set| chosen_on.set(set))?;
    let evaluated =
        [evaluated_on.set(best.0)?, evaluated_on.set(ProxySet::PAPER)?, evaluated_on.set(ProxySet::EXTENDED)?];
    let controls = controls.iter().map(|control| evaluated_on.control(control, rng)).collect::<Option<_>>()?;
    Some(Split { best: best.0, chosen_on: best.1, evaluated, controls })
}

/// Some of the rows, ranked among themselves.
struct Half {
    /// What each proxy contributes to a logarithmic aggregate.
    contributions: Vec<Vec<f64>>,
    truth: Vec<u32>,
}

impl Half {
    fn of(columns: &[Vec<f64>], truth: &Truth, places: &[usize]) -> Self {
        let contribution = |column: &Vec<f64>| {
            let values: Vec<f64> = places.iter().map(|&place| column[truth.rows[place]]).collect();
            if values.is_empty() { values } else { combined(&[&values], Mode::Log) }
        };
        let values: Vec<f64> = places.iter().map(|&place| truth.values[place]).collect();
        Self { contributions: columns.iter().map(contribution).collect(), truth: doubled_ranks(&values) }
    }

    fn tau<'a>(&self, parts: impl Iterator<Item = &'a [f64]>) -> Option<f64> {
        let mut sum = vec![0.0; self.truth.len()];
        parts.for_each(|part| sum.iter_mut().zip(part).for_each(|(sum, x)| *sum += x));
        kendall(&doubled_ranks(&sum), &self.truth)
    }

    fn set(&self, set: ProxySet) -> Option<f64> {
        self.tau(set.iter().map(|proxy| self.contributions[proxy as usize].as_slice()))
    }

    fn control(&self, control: &Control, rng: &mut Generator) -> Option<f64> {
        let parts: Vec<Vec<f64>> = control
            .members
            .iter()
            .map(|&member| match member {
                Member::Intact(proxy) => self.contributions[proxy as usize].clone(),
                Member::Shuffled(proxy) => {
                    let mut values = self.contributions[proxy as usize].clone();
                    shuffle(&mut values, rng);
                    values
                }
            })
            .collect();
        self.tau(parts.iter().map(Vec::as_slice))
    }
}

/// Fisher and Yates.
fn shuffle<T>(items: &mut [T], rng: &mut Generator) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(rng, last as u64 + 1) as usize);
    }
}
