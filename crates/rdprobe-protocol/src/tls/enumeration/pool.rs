//! What is still to be asked of one kind (suites of a version, groups), dealt out in disjoint parts.
//!
//! Each answer finds one item, each refusal strikes out a whole part. So few parts are best where little is left to be
//! found, and many where much is: a refusal makes the parts larger, an answer smaller.

/// Items that are open, found or refused.
#[derive(Debug)]
pub(super) struct Pool<T> {
    /// All of them, the likeliest first.
    order: Vec<T>,
    state: Vec<State>,
    /// In the order in which they were found.
    found: Vec<T>,
    /// Parts that are being asked about now.
    out: usize,
    /// Parts that may be asked about at once.
    lanes: usize,
    most_lanes: usize,
    /// Parts of unlikely items in a row that had one that was found.
    surprises: u32,
}

/// From so many surprises on, what is unlikely is parted too.
const RICH: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Out,
    Found,
    Refused,
    /// Asked in vain, and not refused.
    GivenUp,
}

impl<T: Copy + PartialEq> Pool<T> {
    /// In `lanes` parts at first, in `most_lanes` at the most.
    pub(super) fn new(order: Vec<T>, lanes: usize, most_lanes: usize) -> Self {
        let state = vec![State::Open; order.len()];
        let most_lanes = most_lanes.max(1);
        let lanes = lanes.clamp(1, most_lanes);
        Self { order, state, found: Vec::new(), out: 0, lanes, most_lanes, surprises: 0 }
    }

    pub(super) fn found(&self) -> &[T] {
        &self.found
    }

    pub(super) fn has_open(&self) -> bool {
        self.state.contains(&State::Open)
    }

    fn open(&self) -> impl Iterator<Item = T> {
        self.order.iter().zip(&self.state).filter(|(_, state)| **state == State::Open).map(|(item, _)| *item)
    }

    /// Everything that is open, as one part.
    pub(super) fn deal_all(&mut self) -> Vec<T> {
        let part = self.open().collect();
        self.take(part)
    }

    /// The next part, where one may be asked about now; `likely` says of which items an answer is expected.
    pub(super) fn deal(&mut self, likely: impl Fn(T) -> bool) -> Option<Vec<T>> {
        let free = self.lanes.checked_sub(self.out).filter(|free| *free > 0)?;
        let open: Vec<T> = self.open().collect();
        if open.is_empty() {
            return None;
        }
        let expected: Vec<T> = open.iter().copied().filter(|item| likely(*item)).collect();
        let share = |count: usize| count.div_ceil(free);
        let part = if self.lanes == 1 {
            open
        } else if expected.is_empty() {
            match (self.surprises >= RICH, self.out) {
                (true, _) => open[..share(open.len())].to_vec(),
                (false, 0) => open,
                // What comes back of the parts that are out goes with it.
                (false, _) => return None,
            }
        } else if share(expected.len()) == expected.len() && self.out == 0 {
            open
        } else {
            expected[..share(expected.len())].to_vec()
        };
        Some(self.take(part))
    }

    fn take(&mut self, part: Vec<T>) -> Vec<T> {
        self.out += 1;
        part.iter().for_each(|item| self.set(*item, State::Out));
        part
    }

    fn place(&self, item: T) -> Option<usize> {
        self.order.iter().position(|other| *other == item)
    }

    fn set(&mut self, item: T, state: State) {
        if let Some(place) = self.place(item)
            && self.state[place] != State::Found
        {
            self.state[place] = state;
        }
    }

    /// Found by any hello, a part of this pool or not.
    pub(super) fn find(&mut self, item: T) {
        if self.place(item).is_some_and(|place| self.state[place] != State::Found) {
            self.set(item, State::Found);
            self.found.push(item);
        }
    }

    /// Never to be had, though a part with it was answered.
    pub(super) fn strike(&mut self, item: T) {
        self.set(item, State::Refused);
    }

    fn settle(&mut self, part: &[T], state: State) {
        self.out = self.out.saturating_sub(1);
        for item in part {
            if self.place(*item).is_some_and(|place| self.state[place] == State::Out) {
                self.set(*item, state);
            }
        }
    }

    /// The part had an item that was found.
    pub(super) fn answered(&mut self, part: &[T], likely: impl Fn(T) -> bool) {
        self.surprises = if part.iter().any(|item| likely(*item)) { 0 } else { self.surprises + 1 };
        self.lanes = (self.lanes + 1).min(self.most_lanes);
        self.settle(part, State::Open);
    }

    /// Nothing of the part is to be had.
    pub(super) fn refused(&mut self, part: &[T]) {
        self.surprises = 0;
        self.lanes = (self.lanes / 2).max(1);
        self.settle(part, State::Refused);
    }

    /// The part was not asked about after all.
    pub(super) fn back(&mut self, part: &[T]) {
        self.settle(part, State::Open);
    }

    /// The part cannot be asked about.
    pub(super) fn give_up(&mut self, part: &[T]) {
        self.settle(part, State::GivenUp);
    }

    /// A part that was dealt loses these items, which stay open.
    pub(super) fn shorten(&mut self, part: &mut Vec<T>, kept: usize) {
        for item in part.drain(kept.min(part.len())..) {
            self.set(item, State::Open);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Peels a host that accepts `accepted` of 0..`count` with so many lanes; how many questions it takes.
    fn peel(count: u16, accepted: &[u16], lanes: usize, likely: impl Fn(u16) -> bool + Copy) -> usize {
        let mut pool = Pool::new((0..count).collect(), 1, lanes);
        let mut asked = 0;
        let mut out: Vec<Vec<u16>> = Vec::new();
        loop {
            while let Some(part) = pool.deal(likely) {
                assert!(!part.is_empty());
                out.push(part);
            }
            if out.is_empty() {
                break;
            }
            let part = out.remove(0);
            asked += 1;
            match part.iter().find(|item| accepted.contains(item)).copied() {
                Some(item) => {
                    pool.find(item);
                    pool.answered(&part, likely);
                }
                None => pool.refused(&part),
            }
        }
        assert!(!pool.has_open());
        let mut found = pool.found().to_vec();
        found.sort_unstable();
        let mut expected = accepted.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected);
        asked
    }

    #[test]
    fn likely_items_cost_one_question_each_and_the_rest_one() {
        let accepted: Vec<u16> = (0..20).collect();
        assert_eq!(peel(380, &accepted, 4, |item| item < 20), 21);
        assert_eq!(peel(380, &accepted, 1, |item| item < 20), 21);
    }

    #[test]
    fn few_found_cost_few_questions() {
        assert!(peel(380, &[0, 1, 2], 4, |item| item < 20) <= 8);
        assert_eq!(peel(380, &[], 1, |item| item < 20), 1);
    }

    proptest! {
        /// Every item is found or refused, and a question is asked for each item found and a few more.
        #[test]
        fn everything_is_settled(accepted in proptest::collection::btree_set(0u16..300, 0..60), lanes in 1usize..6,
                                 likely in 0u16..60) {
            let accepted: Vec<u16> = accepted.into_iter().collect();
            let asked = peel(300, &accepted, lanes, |item| item < likely);
            prop_assert!(asked <= accepted.len() + accepted.len().div_ceil(2) + 4 * lanes + 4, "{asked} for {}", accepted.len());
        }
    }
}
