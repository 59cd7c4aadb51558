//! The scores of one proxy in ascending order, for a list that grows one by one: an addition moves a few thousand bytes, and
//! ranks are counted by bisection.

use alloc::vec::Vec;

use super::rank::{Key, doubled_rank};

#[derive(Clone, Copy, Debug)]
struct Place {
    key: Key,
    candidate: u32,
}

/// An ascending list of places, cut into chunks of bounded length.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    /// Not empty, each of them.
    chunks: Vec<Vec<Place>>,
    /// How many places there are before each chunk.
    starts: Vec<u32>,
    len: usize,
}

impl Order {
    /// Places a chunk may have.
    pub(super) const CHUNK: usize = 512;

    /// How many chunks there are. An addition may cut a chunk in two, so that later ones move on by one.
    pub(super) fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// Adds a candidate, whose number is higher than all before.
    pub(super) fn insert(&mut self, key: Key, candidate: u32) {
        self.len += 1;
        let place = Place { key, candidate };
        let Some(last) = self.chunks.len().checked_sub(1) else {
            self.chunks.push(Vec::from([place]));
            self.starts.push(0);
            return;
        };
        let number = self.first_chunk_beyond(|other| other <= key).min(last);
        self.starts[number + 1..].iter_mut().for_each(|start| *start += 1);
        let chunk = &mut self.chunks[number];
        chunk.insert(chunk.partition_point(|other| other.key <= key), place);
        if chunk.len() > Self::CHUNK {
            let second = chunk.split_off(Self::CHUNK / 2);
            self.starts.insert(number + 1, self.starts[number] + chunk.len() as u32);
            self.chunks.insert(number + 1, second);
        }
    }

    /// Twice the rank of a candidate of the list by its key.
    pub(super) fn doubled_rank(&self, key: Key) -> u32 {
        let lower = self.count(|other| other < key);
        doubled_rank(lower, self.count(|other| other <= key) - lower)
    }

    /// Visits every candidate of a chunk with twice its rank.
    pub(super) fn for_each_rank(&self, number: usize, mut visit: impl FnMut(usize, u32)) {
        let (chunk, start) = (&self.chunks[number], self.starts[number] as usize);
        let mut lower = 0;
        for ties in chunk.chunk_by(|a, b| a.key == b.key) {
            // Candidates that tie with the first or the last of a chunk may be in others too.
            let within = lower > 0 && lower + ties.len() < chunk.len();
            let rank = if within { doubled_rank(start + lower, ties.len()) } else { self.doubled_rank(ties[0].key) };
            ties.iter().for_each(|place| visit(place.candidate as usize, rank));
            lower += ties.len();
        }
    }

    /// How many keys satisfy a condition that holds up to some key.
    fn count(&self, condition: impl Fn(Key) -> bool) -> usize {
        let number = self.first_chunk_beyond(&condition);
        match self.chunks.get(number) {
            None => self.len,
            Some(chunk) => self.starts[number] as usize + chunk.partition_point(|place| condition(place.key)),
        }
    }

    /// The first chunk that does not satisfy the condition as a whole.
    fn first_chunk_beyond(&self, condition: impl Fn(Key) -> bool) -> usize {
        self.chunks.partition_point(|chunk| chunk.last().is_some_and(|place| condition(place.key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng;
    use std::vec;

    #[test]
    fn ranks_are_those_of_the_whole_list() {
        // Many ties (groups longer than a chunk), few ties, always the highest, always the lowest.
        let draws: [fn(u64, u64) -> f64; 4] = [
            |random, _| (random % 3) as f64,
            |random, _| (random % 100_000) as f64,
            |_, number| number as f64,
            |_, number| -(number as f64),
        ];
        for draw in draws {
            let mut rng = rng::generator(1);
            let mut order = Order::default();
            let mut keys = Vec::new();
            for number in 0..3000 {
                let key = Key::new(draw(rng::below(&mut rng, 1 << 40), number));
                keys.push(key);
                order.insert(key, number as u32);
            }
            assert!(order.chunks() > 3000 / Order::CHUNK);
            let mut ranks = vec![0; keys.len()];
            for chunk in 0..order.chunks() {
                assert!(order.chunks[chunk].len() <= Order::CHUNK);
                order.for_each_rank(chunk, |candidate, rank| ranks[candidate] = rank);
            }
            let mut sorted = keys.clone();
            sorted.sort();
            for (&key, rank) in keys.iter().zip(ranks) {
                let lower = sorted.partition_point(|&other| other < key);
                let expected = doubled_rank(lower, sorted.partition_point(|&other| other <= key) - lower);
                assert_eq!((rank, order.doubled_rank(key)), (expected, expected));
            }
        }
    }
}
