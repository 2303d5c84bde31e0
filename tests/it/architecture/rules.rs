//! What the sources must keep to, each rule as a function from sources to what breaks it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::sources::Source;

/// Who may import whom at the root of the crate. Later rows may import what their row names.
pub struct Table<'a> {
    /// Modules below the features: each with what it may import.
    pub platform: &'a [(&'a str, &'a [&'a str])],
    /// What features may import of the platform.
    pub of_features: &'a [&'a str],
    /// From left to right: each may import those before it.
    pub features: &'a [&'a str],
    /// Above the features: each may import these, all features, and all of the platform.
    pub roots: &'a [(&'a str, &'a [&'a str])],
}

/// Something that breaks a rule, where it does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Breach {
    pub place: String,
    pub line: usize,
    pub sentence: String,
}

impl Breach {
    pub fn of(source: &Source, line: usize, sentence: impl Into<String>) -> Self {
        Self {
            place: source.place.clone(),
            line,
            sentence: sentence.into(),
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}:{}: {}", self.place, self.line, self.sentence)
    }
}

impl Table<'_> {
    fn modules(&self) -> BTreeSet<&str> {
        let rows = self
            .platform
            .iter()
            .chain(self.roots)
            .map(|(name, _)| *name);
        rows.chain(self.features.iter().copied()).collect()
    }

    /// What `module` may import; `None` where the table does not know it.
    fn allowed(&self, module: &str) -> Option<BTreeSet<&str>> {
        let row = |rows: &[(&str, &'_ [&str])]| rows.iter().position(|(name, _)| *name == module);
        if let Some(at) = row(self.platform) {
            return Some(self.platform[at].1.iter().copied().collect());
        }
        if let Some(at) = self.features.iter().position(|feature| *feature == module) {
            let left = self.features[..at].iter();
            return Some(self.of_features.iter().chain(left).copied().collect());
        }
        let at = row(self.roots)?;
        let below = self.platform.iter().map(|(name, _)| *name);
        let all = below.chain(self.features.iter().copied());
        Some(all.chain(self.roots[at].1.iter().copied()).collect())
    }
}

/// Imports that the table does not have, and modules that it does not know.
pub fn foreign_imports(sources: &[Source], table: &Table<'_>) -> Vec<Breach> {
    let (mut breaches, modules) = (Vec::new(), table.modules());
    for source in sources.iter().filter(|source| source.home() != "lib") {
        let Some(allowed) = table.allowed(source.home()) else {
            let sentence = format!("{} has no row in the import table", source.home());
            breaches.push(Breach::of(source, 1, sentence));
            continue;
        };
        for (target, line) in imports(source) {
            if modules.contains(&*target) && !allowed.contains(&*target) {
                let sentence = format!("{} may not import {target}", source.home());
                breaches.push(Breach::of(source, line, sentence));
            }
        }
    }
    breaches
}

/// The modules at the root that a source names, without its own.
fn imports(source: &Source) -> impl Iterator<Item = (String, usize)> {
    let heads = source.references().into_iter();
    let heads = heads.filter_map(|it| Some((it.path.into_iter().next()?, it.line)));
    heads.filter(|(target, _)| target != source.home())
}

/// Modules that import each other, whatever any table says.
pub fn cycles(sources: &[Source]) -> Vec<String> {
    let homes: BTreeSet<&str> = sources.iter().map(Source::home).collect();
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.home() != "lib") {
        let targets = imports(source).map(|(target, _)| target);
        let known = targets.filter(|target| homes.contains(&**target));
        arrows
            .entry(source.home().to_owned())
            .or_default()
            .extend(known);
    }
    // Whoever imports nothing that is left cannot be in a cycle.
    while let Some(free) = arrows.iter().find(|(_, targets)| targets.is_empty()) {
        let free = free.0.clone();
        arrows.remove(&free);
        for targets in arrows.values_mut() {
            targets.remove(&free);
        }
    }
    // Nor can a module that nobody left imports.
    let imported: BTreeSet<String> = arrows.values().flatten().cloned().collect();
    arrows
        .into_keys()
        .filter(|module| imported.contains(module))
        .collect()
}

/// Paths that go through the `mod.rs` of another module, and modules that invite it.
/// `open` lists the modules whose parts anybody may name.
pub fn reached_into(sources: &[Source], open: &[&str]) -> Vec<Breach> {
    let modules: BTreeSet<Vec<String>> = sources.iter().map(Source::module).collect();
    let is_closed = |home: &str| !open.contains(&home) && !matches!(home, "lib" | "main");
    let mut breaches = Vec::new();
    for source in sources {
        for it in source.references() {
            let is_inside = it.path.len() > 2 && modules.contains(&it.path[..2]);
            if is_inside && is_closed(&it.path[0]) && it.path[0] != source.home() {
                let sentence =
                    format!("{} is no business of {}", it.path.join("::"), source.home());
                breaches.push(Breach::of(source, it.line, sentence));
            }
        }
        if source.module().len() == 1 && is_closed(source.home()) {
            let public = public_modules(source);
            breaches.extend(public.map(|(name, line)| {
                Breach::of(
                    source,
                    line,
                    format!("the module {name} is public; publish items of it"),
                )
            }));
        }
    }
    breaches
}

fn public_modules(source: &Source) -> impl Iterator<Item = (&str, usize)> {
    source.tokens().windows(3).filter_map(|window| {
        let is_visible = window[0].is("pub") || window[0].is(")");
        (is_visible && window[1].is("mod")).then(|| (window[2].text.as_str(), window[2].line))
    })
}

/// Names of fields outside the files that may hold them.
pub fn scattered_fields(sources: &[Source], may: impl Fn(&Source) -> bool) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in sources.iter().filter(|source| !may(source)) {
        for window in source.tokens().windows(3) {
            if window[0].is("Field") && window[1].is("::") && window[2].is("at") {
                let sentence = "fields are named in repo.rs";
                breaches.push(Breach::of(source, window[0].line, sentence));
            }
        }
    }
    breaches
}

/// Every call of `across_tenants`: its file, and the reason it gives.
pub fn across_tenants(sources: &[Source]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for source in sources {
        let tokens = source.tokens();
        for at in 1..tokens.len() {
            let is_use = tokens[at].is("across_tenants") && !tokens[at - 1].is("fn");
            if is_use {
                let reason = tokens.get(at + 2).filter(|token| token.is_text());
                let reason = reason.map_or("no literal reason", |token| token.text.as_str());
                found.push((source.place.clone(), reason.to_owned()));
            }
        }
    }
    found.sort();
    found
}

/// Files that hold two ideas.
pub fn long_files(sources: &[Source], most: usize) -> Vec<Breach> {
    let long = sources.iter().filter(|source| source.lines > most);
    long.map(|source| {
        let sentence = format!("{} lines; split by idea what is over {most}", source.lines);
        Breach::of(source, most + 1, sentence)
    })
    .collect()
}

/// Routes that are registered past the document.
pub fn undocumented_routes(sources: &[Source], may: impl Fn(&Source) -> bool) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in sources.iter().filter(|source| !may(source)) {
        for window in source.product().windows(3) {
            let is_method = window[0].is(".") && window[1].is("route") && window[2].is("(");
            let is_scope =
                window[0].is("web") && (window[2].is("scope") || window[2].is("resource"));
            if is_method || is_scope {
                let sentence = "a route that is no documented handler";
                breaches.push(Breach::of(source, window[0].line, sentence));
            }
        }
    }
    breaches
}
