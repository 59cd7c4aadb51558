//! Searches of a synthetic space: ten digits, each with a best value.

mod transformers;

use alloc::collections::VecDeque;
use core::array;
use core::cell::Cell;
use std::vec;
use std::vec::Vec;

use super::*;
use crate::Error;
use crate::aggregate::{Mode, aggregate};
use crate::base::rng::{Generator, below, generator};
use crate::proxy::{Proxy, ProxySet};

const DIGITS: usize = 10;
const BASE: u64 = 8;
const BEST: Genome = [3, 1, 4, 1, 5, 2, 6, 5, 3, 5];

type Genome = [u8; DIGITS];

/// Ten digits below `base`; the complexity is their sum, the custom cost the first of them.
#[derive(Clone)]
struct Digits {
    initial: Option<Genome>,
    base: u64,
    assessed: Cell<usize>,
}

impl Digits {
    fn new() -> Self {
        Self { initial: Some([0; DIGITS]), base: BASE, assessed: Cell::new(0) }
    }
}

impl SearchSpace for Digits {
    type Architecture = Genome;

    fn initial(&self) -> Option<Genome> {
        self.initial
    }

    fn sample(&self, rng: &mut Generator) -> Genome {
        array::from_fn(|_| below(rng, self.base) as u8)
    }

    /// Every replacement is a different digit, unless the space has but one.
    fn mutate(&self, parent: &Genome, replacements: usize, rng: &mut Generator) -> Genome {
        let mut child = *parent;
        for _ in 0..replacements {
            let digit = &mut child[below(rng, DIGITS as u64) as usize];
            *digit = ((u64::from(*digit) + 1 + below(rng, self.base.saturating_sub(1))) % self.base) as u8;
        }
        child
    }

    fn cost(&self, genome: &Genome) -> Result<Cost, Error> {
        self.assessed.set(self.assessed.get() + 1);
        let sum = genome.iter().map(|&digit| u64::from(digit)).sum();
        Ok(Cost {
            complexity: sum as f64,
            parameters: sum,
            layers: 1,
            workspace_bytes: sum,
            peak_activation: sum,
            custom: f64::from(genome[0]),
        })
    }
}

/// Four views of the distance to the best genome; none is above 0, and all are 0 there only.
fn scores(genome: &Genome) -> [f64; 4] {
    let distance = |place: usize| f64::from(genome[place].abs_diff(BEST[place]));
    let sum = |weight: fn(usize) -> f64| -(0..DIGITS).map(|place| weight(place) * distance(place)).sum::<f64>();
    let wrong = genome.iter().zip(&BEST).filter(|(a, b)| a != b).count();
    [sum(|_| 1.0), sum(|place| 1.0 + place as f64), sum(|place| 10.0 - place as f64), -(wrong as f64)]
}

/// The digits in which two genomes differ.
fn differences(a: &Genome, b: &Genome) -> usize {
    a.iter().zip(b).filter(|(x, y)| x != y).count()
}

/// A short search by the program's rules.
fn short(iterations: usize) -> Settings {
    Settings { iterations, parents: 20, ..Settings::program() }
}

type Records = Vec<(Genome, [f64; 4])>;

fn records(search: &Search<Digits>) -> Records {
    search.history().map(|(&genome, scores)| (genome, scores.try_into().unwrap())).collect()
}

/// Asks for as many candidates as there are and tells one of them, drawn by `order`, until none is left.
fn run(search: &mut Search<Digits>, order: &mut Generator) {
    let mut out = Vec::new();
    loop {
        while let Some(candidate) = search.ask().unwrap() {
            out.push(candidate);
        }
        if out.is_empty() {
            break;
        }
        assert!(out.len() <= search.settings().workers, "{} candidates are out", out.len());
        let candidate = out.swap_remove(below(order, out.len() as u64) as usize);
        search.tell(candidate.id, &scores(&candidate.architecture)).unwrap();
    }
}

/// The history of a whole search.
fn finished(settings: &Settings) -> Records {
    let mut search = Search::new(Digits::new(), settings.clone()).unwrap();
    run(&mut search, &mut generator(0));
    assert_eq!(
        search.progress(),
        Progress { told: settings.iterations, outstanding: 0, iterations: settings.iterations }
    );
    records(&search)
}

#[test]
fn finds_the_optimum_where_random_search_does_not() {
    let iterations = 6000;
    for base in [Settings::program(), Settings::paper()] {
        let mut search = Search::new(Digits::new(), Settings { iterations, parents: 10, ..base }).unwrap();
        run(&mut search, &mut generator(0));
        let best = search.best().unwrap();
        assert_eq!((*best.architecture, best.scores), (BEST, &[0.0; 4][..]));
        assert_eq!(search.top(1).next(), Some(best));
    }
    let random = finished(&Settings { iterations, ..Settings::random() });
    let nearest = random.iter().map(|(genome, _)| differences(genome, &BEST)).min().unwrap();
    assert!(nearest >= 3, "a sample of 6000 out of 10^9 differs in {nearest} digits only");
}

#[test]
fn the_order_of_telling_changes_nothing() {
    for (workers, duplicates) in [
        (1, Duplicates::Keep),
        (2, Duplicates::Reuse),
        (5, Duplicates::Keep),
        (40, Duplicates::Reuse),
        (6, Duplicates::Skip),
    ] {
        let settings = Settings { workers, duplicates, ..short(250) };
        let expected = finished(&settings);
        for order in 1..6 {
            let mut search = Search::new(Digits::new(), settings.clone()).unwrap();
            run(&mut search, &mut generator(order));
            assert_eq!(records(&search), expected, "{workers} workers, order {order}");
        }
    }
}

#[test]
fn seeds_and_workers_make_different_searches() {
    let base = finished(&short(60));
    for other in [Settings { seed: 124, ..short(60) }, Settings { workers: 3, ..short(60) }] {
        assert_ne!(finished(&other), base);
    }
}

#[test]
fn a_candidate_knows_only_what_all_workers_have_told() {
    let settings = Settings { workers: 4, ..short(100) };
    let proposed = |altered: usize| {
        let mut search = Search::new(Digits::new(), settings.clone()).unwrap();
        let mut out = Vec::new();
        while search.progress().told < 60 {
            out.extend(core::iter::from_fn(|| search.ask().unwrap()));
            let candidate = out.remove(0);
            let sign = if candidate.id >= altered { -1e6 } else { 1.0 };
            search.tell(candidate.id, &scores(&candidate.architecture).map(|score| sign * score)).unwrap();
        }
        search.ask().unwrap().unwrap()
    };
    let unaltered = proposed(usize::MAX);
    // With 60 told, candidates 60, 61 and 62 are out: 63 is proposed knowing the scores of 0 to 59.
    assert_eq!(unaltered.id, 63);
    assert_eq!(proposed(60), unaltered);
    assert_ne!(proposed(40), unaltered);
}

#[test]
fn resuming_at_any_point_changes_nothing() {
    let all = [Duplicates::Keep, Duplicates::Reuse, Duplicates::Skip];
    for (workers, duplicates) in [1, 3].into_iter().flat_map(|workers| all.map(|duplicates| (workers, duplicates))) {
        // Few genomes, so that duplicates occur.
        let space = Digits { base: 2, ..Digits::new() };
        let settings = Settings { workers, duplicates, ..short(90) };
        let mut whole = Search::new(space.clone(), settings.clone()).unwrap();
        run(&mut whole, &mut generator(0));
        let expected = records(&whole);
        for cut in 0..=expected.len() {
            let kept = expected[..cut].iter().copied();
            let mut search = Search::resume(space.clone(), settings.clone(), kept).unwrap();
            assert_eq!(search.progress().told, cut);
            run(&mut search, &mut generator(cut as u64));
            assert_eq!(records(&search), expected, "cut at {cut}, {workers} workers, {duplicates:?}");
            assert_eq!(search.best(), whole.best());
        }
    }
    let too_long = vec![([0; DIGITS], [0.0; 4]); 3];
    let refused = Search::resume(Digits::new(), short(2), too_long).err();
    assert!(matches!(refused, Some(Error::Invalid { field: "history", .. })), "{refused:?}");
}

#[test]
fn candidates_keep_the_budget() {
    let budget = Budget { complexity: Some(20.0), custom: Some(2.0), minimum_parameters: Some(1), ..Budget::default() };
    let history = finished(&Settings { budget, ..short(400) });
    let sums = history.iter().map(|(genome, _)| genome.iter().map(|&digit| u32::from(digit)).sum::<u32>());
    assert!(history.iter().all(|(genome, _)| genome[0] <= 2));
    assert!(sums.clone().all(|sum| (1..=20).contains(&sum)));
    assert_eq!(sums.max(), Some(20), "a budget is used to its end");
}

#[test]
fn an_impossible_budget_is_an_error_after_bounded_work() {
    let budget = Budget { complexity: Some(-1.0), ..Budget::default() };
    let mut search = Search::new(Digits::new(), Settings { budget, max_proposals: 70, ..short(10) }).unwrap();
    for asked in 1..=2 {
        assert_eq!(search.ask(), Err(Error::NoCandidate { proposals: 70 }));
        assert_eq!(search.space.assessed.get(), 70 * asked);
        assert_eq!(search.progress(), Progress { told: 0, outstanding: 0, iterations: 10 });
    }
}

#[test]
fn an_initial_structure_outside_the_budget_is_varied() {
    let budget = Budget { minimum_parameters: Some(1), ..Budget::default() };
    let mut search = Search::new(Digits::new(), Settings { budget, ..Settings::paper() }).unwrap();
    assert_eq!(differences(&search.ask().unwrap().unwrap().architecture, &[0; DIGITS]), 1);
}

#[test]
fn errors_of_the_space_are_handed_on() {
    struct Faulty;
    const FAULT: Error = Error::Overflow { quantity: "parameters" };
    impl SearchSpace for Faulty {
        type Architecture = u8;
        fn initial(&self) -> Option<u8> {
            None
        }
        fn sample(&self, _: &mut Generator) -> u8 {
            0
        }
        fn mutate(&self, parent: &u8, _: usize, _: &mut Generator) -> u8 {
            *parent
        }
        fn cost(&self, _: &u8) -> Result<Cost, Error> {
            Err(FAULT)
        }
    }
    assert_eq!(Search::new(Faulty, Settings::random()).unwrap().ask(), Err(FAULT));
}

#[test]
fn duplicates_are_kept_or_take_the_earlier_scores() {
    let space = Digits { base: 2, ..Digits::new() };
    for workers in [1, 7] {
        for (duplicates, repeats) in [(Duplicates::Keep, true), (Duplicates::Reuse, false)] {
            let settings = Settings { workers, duplicates, ..short(300) };
            let mut search = Search::new(space.clone(), settings).unwrap();
            let mut handed_out = Vec::new();
            let mut waiting = Vec::new();
            loop {
                waiting.extend(core::iter::from_fn(|| search.ask().unwrap()));
                let Some(candidate) = waiting.pop() else { break };
                // A noisy scorer: the score tells which of equal candidates was scored.
                search.tell(candidate.id, &[candidate.id as f64; 4]).unwrap();
                handed_out.push(candidate.architecture);
            }
            let history = records(&search);
            assert_eq!(history.len(), 300);
            handed_out.sort();
            assert_eq!(
                handed_out.windows(2).any(|pair| pair[0] == pair[1]),
                repeats,
                "{workers} workers, {duplicates:?}"
            );
            for (id, (genome, scores)) in history.iter().enumerate() {
                let first = history.iter().position(|(other, _)| other == genome).unwrap();
                assert_eq!(scores[0], if repeats { id } else { first } as f64);
            }
        }
    }
}

#[test]
fn duplicates_are_passed_over_while_there_are_others() {
    for workers in [1, 7] {
        let distinct = |space: &Digits, duplicates, iterations| {
            let settings = Settings { workers, duplicates, ..short(iterations) };
            let mut search = Search::new(space.clone(), settings).unwrap();
            run(&mut search, &mut generator(0));
            let mut genomes: Vec<Genome> = records(&search).into_iter().map(|(genome, _)| genome).collect();
            assert_eq!(genomes.len(), iterations);
            genomes.sort();
            genomes.dedup();
            genomes.len()
        };
        assert_eq!(distinct(&Digits::new(), Duplicates::Skip, 1000), 1000, "{workers} workers");
        // Few genomes are near the best ones; a search that has found these all ends all the same.
        let small = Digits { base: 2, ..Digits::new() };
        let [passed, entered] =
            [Duplicates::Skip, Duplicates::Reuse].map(|duplicates| distinct(&small, duplicates, 1500));
        assert!((entered..1500).contains(&passed), "{workers} workers: {passed} and {entered}");
    }
}

#[test]
fn candidates_descend_as_their_rule_says() {
    let near = |genome: &Genome, others: &[(Genome, [f64; 4])], limit| {
        others.iter().any(|(other, _)| differences(genome, other) <= limit)
    };
    let initial = [0; DIGITS];

    let program = finished(&short(200));
    assert!(program[..11].iter().all(|(genome, _)| differences(genome, &initial) == 1));
    assert!((11..200).all(|id| near(&program[id].0, &program[..id], 2)));
    assert!((11..200).any(|id| !near(&program[id].0, &program[..id], 1)), "two replacements");

    let paper = finished(&Settings { iterations: 200, parents: 20, ..Settings::paper() });
    assert_eq!(paper[0].0, initial);
    assert!((1..200).all(|id| near(&paper[id].0, &paper[..id], 1)));

    // A space without an initial structure begins with samples, which are nowhere near each other.
    let nowhere = Digits { initial: None, ..Digits::new() };
    for warmup in [Warmup::Initial, Warmup::Mutants(11), Warmup::Samples(11)] {
        let mut search = Search::new(nowhere.clone(), Settings { warmup, ..short(50) }).unwrap();
        run(&mut search, &mut generator(0));
        let history = records(&search);
        let samples = warmup.candidates();
        assert!((1..samples).all(|id| !near(&history[id].0, &history[..id], 2)), "{warmup:?}");
        assert!((samples..50).all(|id| near(&history[id].0, &history[..id], 2)), "{warmup:?}");
    }
}

#[test]
fn only_the_best_become_parents() {
    let history = finished(&Settings { parents: 3, ..short(300) });
    let mut parents_seen = [false; 3];
    for id in 11..history.len() {
        let columns: [Vec<f64>; 4] = array::from_fn(|proxy| history[..id].iter().map(|(_, row)| row[proxy]).collect());
        let mut aggregates = vec![0.0; id];
        aggregate(&columns.each_ref().map(Vec::as_slice), &[1.0; 4], Mode::Log, &mut aggregates, &mut vec![0; id])
            .unwrap();
        let mut best: Vec<usize> = (0..id).collect();
        best.sort_by(|&a, &b| aggregates[b].total_cmp(&aggregates[a]));
        let mut possible = [false; 3];
        for (place, &parent) in best.iter().take(3).enumerate() {
            possible[place] = differences(&history[parent].0, &history[id].0) <= 2;
        }
        assert!(possible.contains(&true), "candidate {id} descends from none of the best three");
        // Only one place possible: that one was the parent.
        if let [place] = (0..3).filter(|&place| possible[place]).collect::<Vec<_>>()[..] {
            parents_seen[place] = true;
        }
    }
    assert_eq!(parents_seen, [true; 3]);
}

#[test]
fn a_proxy_of_weight_zero_does_not_count() {
    let search_with = |progressivity: f64| {
        let mut settings = short(100);
        settings.weights[Proxy::Progressivity as usize] = 0.0;
        let mut search = Search::new(Digits::new(), settings).unwrap();
        while let Some(candidate) = search.ask().unwrap() {
            let [e, _, t, c] = scores(&candidate.architecture);
            search.tell(candidate.id, &[e, progressivity * candidate.id as f64, t, c]).unwrap();
        }
        search.history().map(|(&genome, _)| genome).collect::<Vec<_>>()
    };
    assert_eq!(search_with(1.0), search_with(f64::NAN));
    assert_eq!(search_with(1.0), search_with(-1.0));
}

/// A target makes the search one by closeness, while its history and its best keep the scores as they were told.
#[test]
fn a_proxy_with_a_target_is_to_come_close() {
    let expressivity = Proxy::Expressivity as usize;
    let search_for = |settings: Settings, score: fn(f64) -> f64| {
        let mut search = Search::new(Digits::new(), settings).unwrap();
        while let Some(candidate) = search.ask().unwrap() {
            let sum = candidate.architecture.iter().map(|&digit| f64::from(digit)).sum();
            search.tell(candidate.id, &[score(sum)]).unwrap();
        }
        search
    };
    let high = Settings { proxies: ProxySet::of(&[Proxy::Expressivity]), parents: 20, ..short(600) };
    let mut close = high.clone();
    for target in [3.0, 23.25, 50.0] {
        close.goals[expressivity] = Goal::Near(target);
        let search = search_for(close.clone(), |sum| sum);
        let best = search.best().unwrap();
        assert!((best.scores[0] - target).abs() <= 0.25, "{} for {target}", best.scores[0]);
        assert_eq!(best.scores[0], best.architecture.iter().map(|&digit| f64::from(digit)).sum::<f64>());
    }
    // The same search with the closeness told instead of the score.
    close.goals[expressivity] = Goal::Near(23.25);
    let told = search_for(high, |sum| -(sum - 23.25).abs());
    let asked = search_for(close.clone(), |sum| sum);
    assert!(told.history().map(|(genome, _)| genome).eq(asked.history().map(|(genome, _)| genome)));
    assert_eq!(told.best().map(|best| (best.id, best.aggregate)), asked.best().map(|best| (best.id, best.aggregate)));
    // What is not a number is as far from any target as can be.
    assert!(close.objective(Proxy::Expressivity, f64::NAN).is_nan());
    assert_eq!(close.objective(Proxy::Expressivity, f64::NEG_INFINITY), f64::NEG_INFINITY);

    for (proxy, value) in
        [(Proxy::Trainability, 0.0), (Proxy::Expressivity, f64::NAN), (Proxy::Expressivity, f64::INFINITY)]
    {
        for goal in [Goal::Near(value), Goal::Enough(value)] {
            let mut wrong = Settings { goals: [Goal::High; Proxy::COUNT], ..close.clone() };
            wrong.goals[proxy as usize] = goal;
            let refused = Search::new(Digits::new(), wrong);
            assert!(matches!(refused, Err(Error::Invalid { field: "goals", .. })), "{proxy:?} {goal:?}");
        }
    }
}

/// What is beyond enough of one proxy is left to the others: of two that pull against each other, the one that may grow without end
/// takes all but what is enough of the other.
#[test]
fn more_than_enough_is_no_better() {
    let [first, second] = [Proxy::Expressivity, Proxy::Trainability];
    let mut settings = Settings { proxies: ProxySet::of(&[first, second]), parents: 20, ..short(1500) };
    settings.goals[first as usize] = Goal::Enough(12.0);
    let mut search = Search::new(Digits::new(), settings.clone()).unwrap();
    while let Some(candidate) = search.ask().unwrap() {
        let sum: f64 = candidate.architecture.iter().map(|&digit| f64::from(digit)).sum();
        search.tell(candidate.id, &[sum, -sum]).unwrap();
    }
    let best = search.best().unwrap();
    assert!((best.scores[0] - 12.0).abs() <= 1.0, "{}", best.scores[0]);

    assert_eq!(settings.objective(first, 40.0), 12.0);
    assert_eq!(settings.objective(first, 11.5), 11.5);
    assert_eq!(settings.objective(first, f64::NEG_INFINITY), f64::NEG_INFINITY);
    assert!(settings.objective(first, f64::NAN).is_nan());
    assert_eq!(settings.objective(second, 40.0), 40.0);
}

/// A search by any number of proxies goes as one by four in which the others repeat one of them or weigh nothing.
#[test]
fn any_set_of_proxies_ranks() {
    let search_with = |settings: Settings, row: fn([f64; 4]) -> Vec<f64>| {
        let mut search = Search::new(Digits::new(), settings).unwrap();
        while let Some(candidate) = search.ask().unwrap() {
            search.tell(candidate.id, &row(scores(&candidate.architecture))).unwrap();
        }
        search.history().map(|(&genome, _)| genome).collect::<Vec<_>>()
    };
    let some = |proxies, weights| Settings { proxies, weights, ..short(150) };
    // Logarithms of ranks add up: weights say how often a proxy counts.
    let mut thrice = [0.0; Proxy::COUNT];
    thrice[Proxy::Expressivity as usize] = 3.0;
    let one = search_with(some(ProxySet::of(&[Proxy::Expressivity]), thrice), |[e, ..]| vec![e]);
    assert_eq!(search_with(some(ProxySet::PAPER, thrice), |row| row.to_vec()), one);
    let mut all = [0.0; Proxy::COUNT];
    all[ProxySet::BLOCKWISE.iter().last().unwrap() as usize] = 3.0;
    let last = |[e, p, ..]: [f64; 4]| {
        let mut row = vec![p; ProxySet::BLOCKWISE.len()];
        *row.last_mut().unwrap() = e;
        row
    };
    assert_eq!(search_with(some(ProxySet::BLOCKWISE, all), last), one);
    assert_ne!(search_with(some(ProxySet::PAPER, [1.0; Proxy::COUNT]), |row| row.to_vec()), one);
}

#[test]
fn telling_checks_the_scores() {
    let settings = Settings { proxies: ProxySet::EXTENDED, ..short(10) };
    let mut search = Search::new(Digits::new(), settings.clone()).unwrap();
    search.ask().unwrap().unwrap();
    for len in [0, 4, 6] {
        let refused = search.tell(0, &vec![1.0; len]);
        assert!(matches!(refused, Err(Error::Invalid { field: "scores", .. })), "{len} scores: {refused:?}");
        let refused = Search::resume(Digits::new(), settings.clone(), [([0; DIGITS], vec![1.0; len])]).err();
        assert!(matches!(refused, Some(Error::Invalid { field: "scores", .. })), "{len} scores: {refused:?}");
    }
    assert_eq!((search.progress().told, search.progress().outstanding), (0, 1));
    assert_eq!(search.tell(0, &[1.0; 5]), Ok(()));
    assert_eq!(search.best().map(|best| best.scores), Some(&[1.0; 5][..]));
}

#[test]
fn telling_checks_the_number() {
    let mut search = Search::new(Digits::new(), Settings { workers: 2, ..short(10) }).unwrap();
    let refused =
        |search: &mut Search<Digits>, id| matches!(search.tell(id, &[0.0; 4]), Err(Error::Invalid { field: "id", .. }));
    assert!(refused(&mut search, 0), "nothing asked for");
    let ids = [search.ask().unwrap().unwrap().id, search.ask().unwrap().unwrap().id];
    assert_eq!((ids, search.ask()), ([0, 1], Ok(None)));
    assert_eq!(search.tell(1, &[1.0; 4]), Ok(()));
    assert!(refused(&mut search, 1), "told and waiting for 0");
    assert_eq!((search.progress().told, search.best()), (0, None));
    assert_eq!(search.tell(0, &[0.0; 4]), Ok(()));
    assert!(refused(&mut search, 0), "told and in the history");
    assert!(refused(&mut search, usize::MAX), "never asked for");
    assert_eq!(search.progress(), Progress { told: 2, outstanding: 0, iterations: 10 });
}

#[test]
fn stopping_ranks_everything_told() {
    let mut search = Search::new(Digits::new(), Settings { workers: 3, ..short(100) }).unwrap();
    for _ in 0..3 {
        search.ask().unwrap().unwrap();
    }
    for id in 0..2 {
        search.tell(id, &[id as f64; 4]).unwrap();
    }
    assert_eq!(search.best().map(|best| best.id), Some(0), "the last two are not ranked yet");
    search.stop().unwrap();
    assert_eq!(search.ask(), Ok(None));
    assert_eq!(search.best().map(|best| best.id), Some(1));
    search.tell(2, &[2.0; 4]).unwrap();
    assert_eq!(search.best().map(|best| (best.id, best.scores)), Some((2, &[2.0; 4][..])));
    assert_eq!(search.top(9).map(|leader| leader.id).collect::<Vec<_>>(), [2, 1, 0]);
    assert_eq!(search.progress(), Progress { told: 3, outstanding: 0, iterations: 3 });
}

#[test]
fn refuses_useless_settings() {
    let base = Settings::program();
    let cases = [
        ("iterations", Settings { iterations: 0, ..base.clone() }),
        ("iterations", Settings { iterations: usize::MAX, ..base.clone() }),
        ("workers", Settings { workers: 0, ..base.clone() }),
        ("parents", Settings { parents: 0, ..base.clone() }),
        ("max_proposals", Settings { max_proposals: 0, ..base.clone() }),
        ("proxies", Settings { proxies: ProxySet::of(&[]), ..base.clone() }),
        ("weights", Settings { weights: [f64::NAN; Proxy::COUNT], ..base }),
    ];
    for (wrong, settings) in cases {
        match Search::new(Digits::new(), settings).err() {
            Some(Error::Invalid { field: named, .. } | Error::TooLarge { quantity: named, .. }) => {
                assert_eq!(named, wrong)
            }
            other => panic!("{wrong}: {other:?}"),
        }
    }
}

/// A search without a heap: who keeps the history, and asks for a candidate by its number, is told the same ones.
#[test]
fn a_candidate_is_a_function_of_the_history() {
    for (workers, warmup) in [(1, Warmup::Initial), (3, Warmup::Mutants(11)), (8, Warmup::Samples(20))] {
        let settings = Settings { iterations: 150, parents: 12, workers, warmup, ..Settings::program() };
        let space = Digits::new();
        let mut search = Search::new(space.clone(), settings.clone()).unwrap();
        let (mut genomes, mut columns) = (Vec::<Genome>::new(), vec![Vec::<f64>::new(); settings.proxies.len()]);
        let mut waiting = VecDeque::new();
        for number in 0..settings.iterations {
            let known = (number + 1).saturating_sub(workers).min(genomes.len());
            let mut parents = vec![0; known];
            let mut count = 0;
            if settings.has_parents(number) && known > 0 {
                let slices: Vec<&[f64]> = columns.iter().map(|column| &column[..known]).collect();
                let (mut aggregates, mut scratch) = (vec![0.0; known], vec![0; known]);
                aggregate(&slices, &[1.0; 4], settings.mode, &mut aggregates, &mut scratch).unwrap();
                count = leaders(&aggregates, settings.parents, &mut parents);
            }
            let parent = |choice: usize| Ok(genomes[parents[choice] as usize]);
            let made = propose(&space, &settings, space.initial().as_ref(), number, count, parent, |_| false);
            let made = made.unwrap();
            let asked = loop {
                match search.ask().unwrap() {
                    Some(candidate) => break candidate,
                    None => {
                        let (id, scores): (usize, [f64; 4]) = waiting.pop_front().unwrap();
                        search.tell(id, &scores).unwrap();
                    }
                }
            };
            assert_eq!((asked.id, asked.architecture), (number, made));
            // Few values, so that many tie.
            let scores: [f64; 4] = array::from_fn(|proxy| f64::from((made[proxy] + made[proxy + 4]) % 5));
            waiting.push_back((number, scores));
            genomes.push(made);
            columns.iter_mut().zip(scores).for_each(|(column, score)| column.push(score));
        }
    }
}
