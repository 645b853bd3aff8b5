//! Sets of facts by their place in this replica's order of placing: who had seen what, in a few words of memory.

/// A set of places. Every fact's past contains the fact itself, and is closed: with a fact it contains the fact's past.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Past {
    /// Never ends with a zero word, so that equal sets are equal values.
    words: Vec<u64>,
}

impl Past {
    pub fn insert(&mut self, place: usize) {
        let word = place / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (place % 64);
    }

    pub fn contains(&self, place: usize) -> bool {
        self.words.get(place / 64).is_some_and(|word| word & (1 << (place % 64)) != 0)
    }

    pub fn add(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        self.words.iter_mut().zip(&other.words).for_each(|(mine, theirs)| *mine |= theirs);
    }

    pub fn is_within(&self, other: &Self) -> bool {
        let theirs = other.words.iter().copied().chain(std::iter::repeat(0));
        self.words.iter().zip(theirs).all(|(mine, theirs)| mine & !theirs == 0)
    }

    pub fn len(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// The places in this set and not in the other, in order.
    pub fn without(&self, other: &Self) -> impl Iterator<Item = usize> {
        let places = 0..self.words.len() * 64;
        places.filter(|place| self.contains(*place) && !other.contains(*place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(places: &[usize]) -> Past {
        let mut past = Past::default();
        places.iter().for_each(|place| past.insert(*place));
        past
    }

    #[test]
    fn sets_of_places_behave_as_sets() {
        let (few, many) = (set(&[0, 63]), set(&[0, 63, 64, 200]));
        assert!(few.is_within(&many) && !many.is_within(&few) && Past::default().is_within(&few));
        assert_eq!(many.without(&few).collect::<Vec<_>>(), [64, 200]);
        assert_eq!(few.without(&many).count(), 0);
        let mut sum = few.clone();
        sum.add(&set(&[64, 200]));
        assert_eq!(sum, many);
        assert_eq!((few.len(), many.len()), (2, 4));
        assert!(!few.contains(5_000));
    }
}
