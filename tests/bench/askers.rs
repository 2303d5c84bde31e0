//! What clients ask, where an answer changes nothing about the next question.

use crate::client::Answer;
use crate::load::{Asker, Heard};

/// The same whole request, again and again; `status` is what a right one gets.
pub fn again(request: Vec<u8>, status: u16) -> Box<dyn Asker> {
    each(status, move |into| into.extend_from_slice(&request))
}

/// The same, where the body of a right answer has at least so many bytes.
pub fn again_for(request: Vec<u8>, least: usize) -> Box<dyn Asker> {
    again_if(request, move |body| body.len() >= least)
}

/// The same, where the body of a right answer has these words.
pub fn again_saying(request: Vec<u8>, words: &'static str) -> Box<dyn Asker> {
    again_if(request, move |body| {
        String::from_utf8_lossy(body).contains(words)
    })
}

fn again_if(request: Vec<u8>, is_right: impl Fn(&[u8]) -> bool + 'static) -> Box<dyn Asker> {
    Box::new(Each {
        status: 200,
        is_right,
        write: move |into: &mut Vec<u8>| into.extend_from_slice(&request),
    })
}

/// Whatever `write` writes next.
pub fn each(status: u16, write: impl FnMut(&mut Vec<u8>) + 'static) -> Box<dyn Asker> {
    Box::new(Each {
        status,
        is_right: |_: &[u8]| true,
        write,
    })
}

struct Each<R, W> {
    status: u16,
    is_right: R,
    write: W,
}

impl<R: Fn(&[u8]) -> bool, W: FnMut(&mut Vec<u8>)> Asker for Each<R, W> {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        (self.write)(request);
        true
    }

    fn hear(&mut self, answer: &Answer<'_>) -> Heard {
        Heard::by(answer, self.status).if_also(|| (self.is_right)(&answer.body))
    }
}

/// One of several each time, as `turns` says; where one has nothing to ask any more, all have not.
pub struct ByTurns {
    pub askers: Vec<Box<dyn Asker>>,
    pub turns: Vec<usize>,
    pub at: usize,
}

impl Asker for ByTurns {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        self.at = (self.at + 1) % self.turns.len();
        self.askers[self.turns[self.at]].ask(request)
    }

    fn hear(&mut self, answer: &Answer<'_>) -> Heard {
        self.askers[self.turns[self.at]].hear(answer)
    }
}
