//! Measuring: what is counted while requests pass, and the page that tells it.
//!
//! Counters and histograms are a few atomic numbers each: counting takes no lock and no memory.
//! Names and labels are the product's own words (operations, kinds of problems, collections of a
//! known few), never an identifier, a path, an address or anything else that a client chooses.
//!
//! The page is Prometheus's text format, version 0.0.4.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What can tell how it fares.
pub trait Measured: Send + Sync {
    fn tell(&self, page: &mut Page);
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub fn add(&self, some: u64) {
        self.0.fetch_add(some, Ordering::Relaxed);
    }

    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The upper bounds of a histogram, in microseconds; what is longer is counted as well.
const BOUNDS: [u64; 12] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 2_500_000,
    10_000_000,
];

/// How long things took, from half a millisecond to ten seconds.
#[derive(Debug, Default)]
pub struct Histogram {
    /// Each counts what is longer than the bound before, and not longer than its own.
    within: [AtomicU64; BOUNDS.len()],
    beyond: AtomicU64,
    micros: AtomicU64,
}

impl Histogram {
    pub fn record(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS.partition_point(|bound| *bound < micros);
        let bucket = self.within.get(place).unwrap_or(&self.beyond);
        bucket.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub fn count(&self) -> u64 {
        let within = self.within.iter().map(|it| it.load(Ordering::Relaxed));
        within.sum::<u64>() + self.beyond.load(Ordering::Relaxed)
    }
}

/// The most that are counted apart.
const LARGEST: usize = 8;

/// How many things were done together at a time: one to eight, or more.
#[derive(Debug, Default)]
pub struct Sizes {
    /// By how many, from one.
    of: [AtomicU64; LARGEST],
    larger: AtomicU64,
    sum: AtomicU64,
}

impl Sizes {
    pub fn record(&self, size: usize) {
        let bucket = size.checked_sub(1).and_then(|at| self.of.get(at));
        bucket
            .unwrap_or(&self.larger)
            .fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(size as u64, Ordering::Relaxed);
    }

    /// How often it was so many.
    pub fn count_of(&self, size: usize) -> u64 {
        let bucket = size.checked_sub(1).and_then(|at| self.of.get(at));
        bucket.unwrap_or(&self.larger).load(Ordering::Relaxed)
    }
}

/// How often something was found in memory.
#[derive(Debug, Default)]
pub struct Lookups {
    hits: Counter,
    misses: Counter,
}

impl Lookups {
    /// Counts what a look into memory gave, and gives it on.
    pub fn noted<T>(&self, found: Option<T>) -> Option<T> {
        let counter = if found.is_some() {
            &self.hits
        } else {
            &self.misses
        };
        counter.add(1);
        found
    }

    /// As the cache of this name.
    pub fn tell(&self, page: &mut Page, cache: &str) {
        let family = page.counter(
            "authsome_cache_lookups_total",
            "Look-ups in memory, by whether something was there.",
        );
        for (result, counter) in [("hit", &self.hits), ("miss", &self.misses)] {
            family.sample(&[("cache", cache), ("result", result)], counter.count());
        }
    }
}

/// Time that nobody can set.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long something took is measured, and not told by a clock that can be set"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// What is told, family by family. A family that is named again goes on where it was.
#[derive(Debug, Default)]
pub struct Page {
    families: Vec<Family>,
}

/// A measure by its name, with a line for each combination of labels.
#[derive(Debug)]
pub struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    lines: String,
}

impl Page {
    pub fn counter(&mut self, name: &'static str, help: &'static str) -> &mut Family {
        self.family(name, "counter", help)
    }

    pub fn gauge(&mut self, name: &'static str, help: &'static str) -> &mut Family {
        self.family(name, "gauge", help)
    }

    /// In seconds, or of sizes.
    pub fn histogram(&mut self, name: &'static str, help: &'static str) -> &mut Family {
        self.family(name, "histogram", help)
    }

    fn family(
        &mut self,
        name: &'static str,
        kind: &'static str,
        help: &'static str,
    ) -> &mut Family {
        let known = self.families.iter().position(|it| it.name == name);
        let place = known.unwrap_or(self.families.len());
        if known.is_none() {
            let lines = String::new();
            self.families.push(Family {
                name,
                kind,
                help,
                lines,
            });
        }
        &mut self.families[place]
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        for Family {
            name,
            kind,
            help,
            lines,
        } in &self.families
        {
            // Writing to a text cannot fail.
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{lines}");
        }
        text
    }
}

impl Family {
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.line("", labels, None, value);
    }

    /// Nothing, where nothing was recorded.
    pub fn samples(&mut self, labels: &[(&str, &str)], histogram: &Histogram) {
        let bounds = BOUNDS.iter().map(|bound| seconds(*bound));
        let within = bounds.zip(&histogram.within);
        let sum = seconds(histogram.micros.load(Ordering::Relaxed));
        self.buckets(labels, (within, histogram.count()), &sum);
    }

    /// Nothing, where nothing was recorded.
    pub fn sizes(&mut self, labels: &[(&str, &str)], sizes: &Sizes) {
        let within = (1..).map(|size: u8| size.to_string()).zip(&sizes.of);
        let all = sizes.of.iter().chain([&sizes.larger]);
        let all = all.map(|it| it.load(Ordering::Relaxed)).sum();
        let sum = sizes.sum.load(Ordering::Relaxed).to_string();
        self.buckets(labels, (within, all), &sum);
    }

    fn buckets<'a>(
        &mut self,
        labels: &[(&str, &str)],
        (within, all): (impl Iterator<Item = (String, &'a AtomicU64)>, u64),
        sum: &str,
    ) {
        if all == 0 {
            return;
        }
        let mut so_far = 0;
        for (bound, count) in within {
            so_far += count.load(Ordering::Relaxed);
            self.line("_bucket", labels, Some(&bound), so_far);
        }
        self.line("_bucket", labels, Some("+Inf"), all.max(so_far));
        self.line("_sum", labels, None, sum);
        self.line("_count", labels, None, all.max(so_far));
    }

    fn line(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        bound: Option<&str>,
        value: impl std::fmt::Display,
    ) {
        let bound = bound.map(|bound| ("le", bound));
        let labels: Vec<_> = labels.iter().copied().chain(bound).collect();
        let written: Vec<_> = labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
            .collect();
        let labels = if written.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", written.join(","))
        };
        let _ = writeln!(self.lines, "{}{suffix}{labels} {value}", self.name);
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// Exactly, as a decimal: `0.0025`.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_each_time_once_and_its_bounds_include_what_is_below() {
        let histogram = Histogram::default();
        for micros in [1, 500, 501, 2_000, 20_000_000] {
            histogram.record(Duration::from_micros(micros));
        }
        let mut page = Page::default();

        page.histogram("took_seconds", "Times.")
            .samples(&[("what", "x")], &histogram);

        let text = page.text();
        for line in [
            "# HELP took_seconds Times.",
            "# TYPE took_seconds histogram",
            r#"took_seconds_bucket{what="x",le="0.0005"} 2"#,
            r#"took_seconds_bucket{what="x",le="0.001"} 3"#,
            r#"took_seconds_bucket{what="x",le="0.0025"} 4"#,
            r#"took_seconds_bucket{what="x",le="10"} 4"#,
            r#"took_seconds_bucket{what="x",le="+Inf"} 5"#,
            r#"took_seconds_sum{what="x"} 20.003002"#,
            r#"took_seconds_count{what="x"} 5"#,
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
    }

    #[test]
    fn sizes_are_counted_each_for_itself() {
        let sizes = Sizes::default();
        let mut page = Page::default();
        page.histogram("none", "Nothing.").sizes(&[], &sizes);
        for size in [1, 6, 6, 8, 9] {
            sizes.record(size);
        }

        page.histogram("size", "Sizes.").sizes(&[], &sizes);

        let text = page.text();
        for line in [
            "# TYPE size histogram",
            r#"size_bucket{le="1"} 1"#,
            r#"size_bucket{le="5"} 1"#,
            r#"size_bucket{le="6"} 3"#,
            r#"size_bucket{le="8"} 4"#,
            r#"size_bucket{le="+Inf"} 5"#,
            "size_sum 30",
            "size_count 5",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
        assert!(!text.contains("none_count"), "{text}");
        assert_eq!(
            [1, 2, 6, 100].map(|size| sizes.count_of(size)),
            [1, 0, 2, 1]
        );
    }

    #[test]
    fn a_family_is_headed_once_and_labels_are_escaped() {
        let mut page = Page::default();
        page.counter("a_total", "As.").sample(&[("x", "1")], 1);
        page.gauge("b", "Bs.").sample(&[], 2);
        page.counter("a_total", "As.").sample(&[("x", "\"\\\n")], 3);

        let text = page.text();

        let expected = "# HELP a_total As.\n# TYPE a_total counter\na_total{x=\"1\"} 1\n\
                        a_total{x=\"\\\"\\\\\\n\"} 3\n# HELP b Bs.\n# TYPE b gauge\nb 2\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_found_is_a_hit() {
        let lookups = Lookups::default();
        assert_eq!(lookups.noted(Some(1)), Some(1));
        assert_eq!(lookups.noted::<u8>(None), None);
        assert_eq!(lookups.noted::<u8>(None), None);

        let mut page = Page::default();
        lookups.tell(&mut page, "things");

        let text = page.text();
        assert!(
            text.contains(r#"{cache="things",result="hit"} 1"#),
            "{text}"
        );
        assert!(
            text.contains(r#"{cache="things",result="miss"} 2"#),
            "{text}"
        );
    }
}
