//! Names of a file by what is asked of them, so that no question goes through all of them.

use hashbrown::HashMap;

use super::facts::{Facts, Fate, Role};

/// Positions in [`Facts::names`], each list in the order of the source.
#[derive(Debug, Default)]
pub struct Index<'f> {
    /// A number for each text.
    numbers: HashMap<&'f str, u32>,
    /// The number of each name's text.
    of_name: Vec<u32>,
    by_text: Lists,
    decorators: HashMap<usize, Vec<usize>>,
    parameters: HashMap<usize, Vec<usize>>,
}

/// Lists by small numbers, all in one piece.
#[derive(Debug, Default)]
struct Lists {
    /// Where each list begins in `all`, and where the last ends.
    starts: Vec<u32>,
    all: Vec<usize>,
}

impl Lists {
    /// The positions of each of so many numbers.
    fn new(of: &[u32], count: usize) -> Self {
        let mut starts = vec![0_u32; count + 1];
        for number in of {
            starts[*number as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut all = vec![0; of.len()];
        for (at, number) in of.iter().enumerate() {
            let place = &mut next[*number as usize];
            all[*place as usize] = at;
            *place += 1;
        }
        Self { starts, all }
    }

    fn get(&self, number: u32) -> &[usize] {
        let number = number as usize;
        &self.all[self.starts[number] as usize..self.starts[number + 1] as usize]
    }
}

impl<'f> Index<'f> {
    /// Goes through the names once.
    pub fn new(facts: &Facts, source: &'f str) -> Self {
        let mut index = Self::default();
        index.of_name.reserve(facts.names.len());
        index.numbers.reserve(facts.names.len() / 4);
        for (at, name) in facts.names.iter().enumerate() {
            let next = u32::try_from(index.numbers.len()).unwrap_or(u32::MAX);
            index.of_name.push(*index.numbers.entry(name.span.of(source)).or_insert(next));
            if let Fate::Decorates(start) = name.fate {
                index.decorators.entry(start).or_default().push(at);
            }
            if let Role::Parameter(_) = name.role {
                index.parameters.entry(name.scope).or_default().push(at);
            }
        }
        index.by_text = Lists::new(&index.of_name, index.numbers.len());
        index
    }

    /// The number of a text, if any name has it.
    pub fn number(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    /// The number of the text of a name.
    pub fn number_of(&self, name: usize) -> u32 {
        self.of_name[name]
    }

    /// The names with that text.
    pub fn with_text(&self, text: &str) -> &[usize] {
        self.number(text).map_or(&[], |number| self.by_text.get(number))
    }

    /// The names whose text has that number.
    pub fn with_number(&self, number: u32) -> &[usize] {
        self.by_text.get(number)
    }

    /// The names that decorate the definition that begins there.
    pub fn decorating(&self, start: usize) -> &[usize] {
        self.decorators.get(&start).map_or(&[], Vec::as_slice)
    }

    /// The parameters of a function's scope.
    pub fn parameters(&self, scope: usize) -> &[usize] {
        self.parameters.get(&scope).map_or(&[], Vec::as_slice)
    }
}
