use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

/// A stream that takes as much as each answer says, or fails; it waits for its answers.
struct Fussy {
    answers: Receiver<io::Result<usize>>,
    taken: Sender<Vec<u8>>,
}

impl Write for Fussy {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let most = self.answers.recv().map_err(io::Error::other)??;
        let (taken, _) = text.split_at(most.min(text.len()));
        self.taken.send(taken.to_vec()).map_err(io::Error::other)?;
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream under the hands of a test.
struct Bench {
    stream: Stream,
    answers: Sender<io::Result<usize>>,
    taken: Receiver<Vec<u8>>,
    told: Receiver<u64>,
}

impl Bench {
    fn new() -> Self {
        let ((answers, theirs), (sink, taken)) = (channel(), channel());
        let (tell, told) = channel();
        let out = Fussy {
            answers: theirs,
            taken: sink,
        };
        let stream = Stream::to(out, move |dropped| tell.send(dropped).unwrap());
        Self {
            stream: stream.unwrap(),
            answers,
            taken,
            told,
        }
    }

    fn says(&self, line: &str) {
        let mut voice = self.stream.voice();
        voice.write_all(line.as_bytes()).unwrap();
    }

    fn takes(&self, answer: io::Result<usize>) {
        self.answers.send(answer).unwrap();
    }
}

fn full<T>() -> io::Result<T> {
    Err(io::ErrorKind::StorageFull.into())
}

#[test]
fn what_is_kept_is_written_before_the_end() {
    let bench = Bench::new();
    bench.says("one\n");
    bench.says("two\n");
    for _ in 0..2 {
        bench.takes(Ok(usize::MAX));
    }

    drop(bench.stream);

    let written: Vec<u8> = bench.taken.into_iter().flatten().collect();
    assert_eq!(written, b"one\ntwo\n");
    assert_eq!(bench.told.into_iter().next(), None);
}

/// The writer waits for ever; whoever speaks does not.
#[test]
fn what_does_not_fit_is_dropped_and_counted() {
    let bench = Bench::new();
    let line = format!("{}\n", "a".repeat(1_023));
    for _ in 0..3_000 {
        bench.says(&line);
    }

    bench.takes(Ok(usize::MAX));
    bench.takes(Ok(usize::MAX));

    let dropped = bench.told.recv().unwrap();
    let kept = 3_000 - dropped;
    // What the writer holds already counts beside what waits for it.
    assert!((1_024..=2_048).contains(&kept), "{kept}");
}

#[test]
fn what_cannot_be_written_is_told_once_it_can_again() {
    let bench = Bench::new();
    bench.says("lost\n");
    bench.takes(full());
    while bench.stream.0.state().dropped == 0 {
        thread::yield_now();
    }

    bench.says("next\n");
    bench.takes(Ok(usize::MAX));

    assert_eq!(bench.told.recv(), Ok(1));
}

#[test]
fn a_line_that_was_torn_is_ended_before_the_next() {
    let ((answers, theirs), (sink, taken)) = (channel(), channel());
    for answer in [Ok(2), full(), full(), Ok(1), Ok(usize::MAX)] {
        answers.send(answer).unwrap();
    }
    let mut output = Output::of(Fussy {
        answers: theirs,
        taken: sink,
    });

    let unwritten = ["first\n", "second\n", "third\n"].map(|line| output.write(line.as_bytes()));

    drop(output);
    let written: Vec<u8> = taken.into_iter().flatten().collect();
    assert_eq!(unwritten, [1, 1, 0]);
    assert_eq!(written, b"fi\nthird\n");
}

#[test]
fn the_end_waits_for_nobody_for_ever() {
    let bench = Bench::new();
    bench.says("unheard\n");

    drop(bench.stream);

    assert_eq!(bench.taken.try_recv().ok(), None);
}
