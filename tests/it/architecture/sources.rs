//! The files of `src`, and the paths inside the crate that each of them names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::lexer::{Token, tokens};

/// A source file. `place` is its path below `src`, with slashes.
#[derive(Debug)]
pub struct Source {
    pub place: String,
    pub lines: usize,
    tokens: Vec<Token>,
}

/// A path that a source names, from the root of the crate.
#[derive(Debug, PartialEq, Eq)]
pub struct Reference {
    pub path: Vec<String>,
    pub line: usize,
}

/// Every source of the crate, in the order of their places.
pub fn of_the_crate() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    found.sort_by(|one, other| one.place.cmp(&other.place));
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the sources are readable").path();
        if path.is_dir() {
            // With a manifest it is a package of its own, and no part of this crate.
            if !path.join("Cargo.toml").exists() {
                collect(root, &path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let place = path
                .strip_prefix(root)
                .expect("below src")
                .to_string_lossy();
            let text = fs::read_to_string(&path).expect("sources are UTF-8");
            found.push(Source::new(&place, &text));
        }
    }
}

impl Source {
    pub fn new(place: &str, text: &str) -> Self {
        let place = place.replace('\\', "/");
        Self {
            place,
            lines: text.lines().count(),
            tokens: tokens(text),
        }
    }

    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The module that the file is: `users/api.rs` is `users`, `api`.
    pub fn module(&self) -> Vec<String> {
        let name = self.place.trim_end_matches(".rs");
        let name = name.strip_suffix("/mod").unwrap_or(name);
        match name {
            "lib" | "main" => Vec::new(),
            name => name.split('/').map(str::to_owned).collect(),
        }
    }

    /// The module at the root that the file belongs to; `main` and `lib` are their own.
    pub fn home(&self) -> &str {
        let first = self.place.split('/').next().unwrap_or(&self.place);
        first.trim_end_matches(".rs")
    }

    pub fn name(&self) -> &str {
        self.place.rsplit('/').next().unwrap_or(&self.place)
    }

    /// Every path that begins with `crate`, `self` or `super`, and in `main.rs` with the name of
    /// the library.
    pub fn references(&self) -> Vec<Reference> {
        let mut walk = Walk {
            tokens: &self.tokens,
            at: 0,
            found: Vec::new(),
        };
        let (mut scopes, mut module) = (Vec::new(), self.module());
        while let Some(token) = walk.tokens.get(walk.at) {
            let begins_a_path = walk.next_is("::") && !walk.previous_is("::");
            if token.is("{") {
                let inline = walk.opened_module();
                module.extend(inline.clone());
                scopes.push(inline);
            } else if token.is("}") {
                if scopes.pop().flatten().is_some() {
                    module.pop();
                }
            } else if begins_a_path && self.is_root(token) {
                walk.at += 1;
                walk.follow(Vec::new());
                continue;
            } else if begins_a_path && token.is("self") {
                walk.at += 1;
                walk.follow(module.clone());
                continue;
            } else if begins_a_path && token.is("super") {
                walk.climb(module.clone());
                continue;
            }
            walk.at += 1;
        }
        walk.found
    }

    fn is_root(&self, token: &Token) -> bool {
        token.is("crate") || self.place == "main.rs" && token.is("authsome")
    }

    /// The modules of this file that are declared `#[cfg(test)]`, inline or in files of their own.
    fn test_modules(&self) -> Vec<Vec<String>> {
        let places = (0..self.tokens.len()).filter_map(|at| {
            let name = at + test_module(&self.tokens[at..])?;
            let mut path = self.module();
            path.push(self.tokens[name].text.clone());
            Some(path)
        });
        places.collect()
    }

    /// What the product does: without tests, and without what attributes say of it.
    pub fn product(&self) -> Vec<Token> {
        let (tokens, mut kept, mut at) = (self.untested(), Vec::new(), 0);
        while let Some(token) = tokens.get(at) {
            let is_attribute = token.is("#") && tokens.get(at + 1).is_some_and(|it| it.is("["));
            if is_attribute {
                at += 1 + closed(&tokens[at + 1..]);
            } else {
                kept.push(token.clone());
                at += 1;
            }
        }
        kept
    }

    /// All but the tests within.
    pub fn untested(&self) -> Vec<Token> {
        let (mut kept, mut at) = (Vec::new(), 0);
        while let Some(token) = self.tokens.get(at) {
            let rest = &self.tokens[at..];
            let body = test_module(rest).map(|name| name + 1);
            if let Some(body) = body.filter(|body| rest.get(*body).is_some_and(|it| it.is("{"))) {
                at += body + closed(&rest[body..]);
            } else {
                kept.push(token.clone());
                at += 1;
            }
        }
        kept
    }
}

/// Without the files that are tests.
pub fn of_the_product(sources: &[Source]) -> Vec<&Source> {
    let tests: BTreeSet<Vec<String>> = sources.iter().flat_map(Source::test_modules).collect();
    let is_test = |source: &Source| {
        let module = source.module();
        (1..=module.len()).any(|length| tests.contains(&module[..length]))
    };
    sources.iter().filter(|source| !is_test(source)).collect()
}

/// Where the name is, of `#[cfg(test)] mod name` or `#[cfg(test)] pub(crate) mod name`.
fn test_module(tokens: &[Token]) -> Option<usize> {
    let begins = |at: usize, spelled: &[&str]| {
        let rest = tokens.get(at..).unwrap_or_default();
        let pairs = rest
            .iter()
            .zip(spelled)
            .filter(|(token, text)| token.is(text));
        pairs.count() == spelled.len()
    };
    let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
    let visible = ["pub", "(", "crate", ")"];
    if !begins(0, &attribute) {
        return None;
    }
    let at = attribute.len();
    let at = if begins(at, &visible) {
        at + visible.len()
    } else {
        at
    };
    begins(at, &["mod"])
        .then_some(at + 1)
        .filter(|name| *name < tokens.len())
}

/// How many tokens the bracket that begins here spans.
pub fn closed(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        if token.is("{") || token.is("[") || token.is("(") {
            depth += 1;
        } else if token.is("}") || token.is("]") || token.is(")") {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    tokens.len()
}

struct Walk<'a> {
    tokens: &'a [Token],
    at: usize,
    found: Vec<Reference>,
}

impl Walk<'_> {
    fn token_is(&self, at: Option<usize>, text: &str) -> bool {
        at.and_then(|at| self.tokens.get(at))
            .is_some_and(|token| token.is(text))
    }

    fn next_is(&self, text: &str) -> bool {
        self.token_is(Some(self.at + 1), text)
    }

    fn previous_is(&self, text: &str) -> bool {
        self.token_is(self.at.checked_sub(1), text)
    }

    /// The name of the inline module whose body opens here.
    fn opened_module(&self) -> Option<String> {
        let is_module = self.token_is(self.at.checked_sub(2), "mod");
        is_module.then(|| self.tokens[self.at - 1].text.clone())
    }

    /// `super::super::…`
    fn climb(&mut self, mut base: Vec<String>) {
        while self.tokens[self.at].is("super") {
            base.pop();
            self.at += 1;
            if !self.token_is(Some(self.at), "::") || !self.next_is("super") {
                break;
            }
            self.at += 1;
        }
        self.follow(base);
    }

    /// Follows a path from the `::` after `base` to its end, or its ends.
    fn follow(&mut self, mut base: Vec<String>) {
        while self.token_is(Some(self.at), "::") {
            let Some(next) = self.tokens.get(self.at + 1) else {
                break;
            };
            if next.is("{") {
                self.at += 2;
                return self.follow_each(&base);
            }
            if !next.is_word() && !next.is("*") {
                break;
            }
            base.push(next.text.clone());
            self.at += 2;
        }
        let line = self.tokens[self.at - 1].line;
        self.found.push(Reference { path: base, line });
    }

    /// `{a, b::c, self, d as e}` after `base`, from behind the brace that opens it.
    fn follow_each(&mut self, base: &[String]) {
        while let Some(token) = self.tokens.get(self.at) {
            self.at += 1;
            if token.is("}") {
                return;
            }
            if token.is(",") {
                continue;
            }
            let mut path = base.to_vec();
            if !token.is("self") {
                path.push(token.text.clone());
            }
            self.follow(path);
            while !self.token_is(Some(self.at), ",") && !self.token_is(Some(self.at), "}") {
                if self.tokens.get(self.at).is_none() {
                    return;
                }
                self.at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(place: &str, text: &str) -> Vec<String> {
        let references = Source::new(place, text).references();
        references
            .into_iter()
            .map(|it| format!("{} {}", it.line, it.path.join("::")))
            .collect()
    }

    #[test]
    fn imports_are_followed_to_each_of_their_ends() {
        let text =
            "use crate::users::{self, repo::{ById, all as every}, User};\nuse crate::apps::*;";
        let expected = [
            "1 users",
            "1 users::repo::ById",
            "1 users::repo::all",
            "1 users::User",
            "2 apps::*",
        ];

        assert_eq!(named("sessions/api.rs", text), expected);
    }

    #[test]
    fn paths_inside_code_are_followed_too() {
        let text = "fn f() -> crate::store::Stored<()> {\n  $crate::tokens::a::<u8>()\n}";

        assert_eq!(
            named("users/repo.rs", text),
            ["1 store::Stored", "2 tokens::a"]
        );
    }

    #[test]
    fn parents_are_climbed_from_where_the_path_stands() {
        let text = "use super::record::User; mod tests { use super::super::super::apps::App;\n\
            fn f() { super::g() } } use self::h::I; pub(super) fn j() { super::super::apps::k() }";
        let expected = [
            "1 users::record::User",
            "1 apps::App",
            "2 users::api::g",
            "2 users::api::h::I",
            "2 apps::k",
        ];

        assert_eq!(named("users/api.rs", text), expected);
        assert_eq!(
            named("users/mod.rs", "use super::apps::App;"),
            ["1 apps::App"]
        );
    }

    #[test]
    fn comments_and_strings_name_nothing() {
        let text = "//! See [`crate::users`].\nconst A: &str = \"crate::users::User\";";

        assert_eq!(named("apps/mod.rs", text), [""; 0]);
    }

    #[test]
    fn the_binary_names_the_library() {
        assert_eq!(
            named("main.rs", "use authsome::cli::{self, Cli};"),
            ["1 cli", "1 cli::Cli"]
        );
    }

    #[test]
    fn tests_and_attributes_are_no_product() {
        let text = "#[derive(A)] struct B; #[cfg(test)] mod tests { fn c() { d() } } fn e() {}";

        let kept = Source::new("a.rs", text).product();
        let kept: Vec<_> = kept.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(kept.join(" "), "struct B ; fn e ( ) { }");
    }

    #[test]
    fn a_file_that_is_declared_for_tests_is_one_with_all_below_it() {
        let sources = [
            Source::new("a/mod.rs", "#[cfg(test)] mod world; mod b;"),
            Source::new("a/b.rs", ""),
            Source::new("a/world.rs", "mod c;"),
            Source::new("a/world/c.rs", ""),
        ];

        let places: Vec<_> = of_the_product(&sources)
            .iter()
            .map(|it| &*it.place)
            .collect();
        assert_eq!(places, ["a/mod.rs", "a/b.rs"]);
    }
}
