//! One line of a script, taken apart: words with their columns, in order.

use std::str::FromStr;

use super::script::Mistake;

/// A word and the column it begins in, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    pub column: usize,
}

/// Cuts a line into words: white space between them, `"…"` around one with white space, `#` before what nobody plays.
pub(super) fn words(line: &str, number: usize) -> Result<Vec<Word>, Mistake> {
    let mut words = Vec::new();
    let mut rest = line.chars().enumerate().peekable();
    while let Some((place, c)) = rest.next() {
        let column = place + 1;
        match c {
            '#' => break,
            c if c.is_whitespace() => {}
            c if c.is_control() => return Err(Mistake::at(number, column, "a control character can't be played")),
            '"' => words.push(Word { text: quoted(&mut rest, number, column)?, column }),
            c => {
                let mut text = String::from(c);
                while let Some((_, c)) = rest.next_if(|(_, c)| !c.is_whitespace() && !c.is_control()) {
                    text.push(c);
                }
                words.push(Word { text, column });
            }
        }
    }
    Ok(words)
}

fn quoted(rest: &mut impl Iterator<Item = (usize, char)>, number: usize, column: usize) -> Result<String, Mistake> {
    let mut text = String::new();
    loop {
        match rest.next() {
            Some((_, '"')) => return Ok(text),
            Some((_, '\\')) => text.extend(rest.next().map(|(_, c)| c)),
            Some((_, c)) => text.push(c),
            None => return Err(Mistake::at(number, column, "the quotation mark is never closed")),
        }
    }
}

/// The arguments of an act, read from left to right.
pub(super) struct Arguments<'a> {
    words: std::vec::IntoIter<Word>,
    number: usize,
    /// Where the next word would have to stand.
    end: usize,
    usage: &'a str,
}

impl<'a> Arguments<'a> {
    pub fn new(words: Vec<Word>, number: usize, end: usize, usage: &'a str) -> Self {
        Self { words: words.into_iter(), number, end, usage }
    }

    fn mistake(&self, column: usize, what: impl std::fmt::Display) -> Mistake {
        Mistake::at(self.number, column, format!("{what}; as in: {}", self.usage))
    }

    pub fn wrong(&self, word: &Word, what: impl std::fmt::Display) -> Mistake {
        self.mistake(word.column, format!("`{}` {what}", shortened(&word.text)))
    }

    pub fn next(&mut self, what: &str) -> Result<Word, Mistake> {
        self.words.next().ok_or_else(|| self.mistake(self.end, format!("{what} is missing")))
    }

    pub fn next_if_any(&mut self) -> Option<Word> {
        self.words.next()
    }

    /// A word that stands for something with an id.
    pub fn id<T: FromStr>(&mut self, what: &str) -> Result<T, Mistake>
    where
        T::Err: std::fmt::Display,
    {
        let word = self.next(what)?;
        word.text.parse().map_err(|why: T::Err| self.wrong(&word, format!("is no {what}: {why}")))
    }

    pub fn keyword(&mut self, keyword: &str) -> Result<(), Mistake> {
        let word = self.next(&format!("the word `{keyword}`"))?;
        if word.text == keyword {
            Ok(())
        } else {
            Err(self.wrong(&word, format!("stands where the word `{keyword}` belongs")))
        }
    }

    /// One of several words, and what it stands for.
    pub fn one_of<T: Copy>(&mut self, what: &str, choices: &[(&str, T)]) -> Result<T, Mistake> {
        let word = self.next(what)?;
        let chosen = choices.iter().find(|(name, _)| *name == word.text).map(|(_, meaning)| *meaning);
        chosen.ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.wrong(&word, format!("is no {what}: there are {}", names.join(", ")))
        })
    }

    pub fn done(mut self) -> Result<(), Mistake> {
        match self.words.next() {
            None => Ok(()),
            Some(word) => Err(self.wrong(&word, "is more than the act takes")),
        }
    }
}

/// Enough of a word to find it again.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST).chain(['…']).collect() }
}
