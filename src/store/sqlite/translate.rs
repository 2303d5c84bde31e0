//! The port's language in SQL over JSON documents.
//!
//! A document is one row, `id TEXT PRIMARY KEY, doc TEXT`. Each indexed path has a virtual
//! generated column, because SQLite uses an expression index only for the very same expression
//! text, and seeks a keyset page only over columns.

use std::fmt::Write;

use bson::Bson;
use rusqlite::types::Value as Param;

use crate::store::op::{Encoded, Find, Sweep, Verb};
use crate::store::query::{Node, Sort, Test};
use crate::store::schema::{Index, Schema, When};
use crate::store::update::Change;
use crate::store::value::{Value, json, prefix_end, text_of};

/// A statement and its parameters.
#[derive(Debug)]
pub(super) struct Statement {
    pub sql: String,
    pub params: Vec<Param>,
}

/// What a statement answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Documents,
    /// One row of one number.
    Number,
    /// The number of rows changed.
    Changed,
}

/// The statement for `verb`.
pub(super) fn statement(schema: &Schema, verb: &Verb) -> (Statement, Answer) {
    let mut sql = Sql::of(schema);
    let table = schema.collection;
    let answer = match verb {
        Verb::Insert(encoded) => {
            sql.insert(encoded);
            Answer::Changed
        }
        Verb::InsertAll(all) => {
            all.iter().take(1).for_each(|encoded| sql.insert(encoded));
            Answer::Changed
        }
        Verb::Find(find) => {
            sql.find(find);
            Answer::Documents
        }
        Verb::Count(filter) => {
            sql.count(filter);
            Answer::Number
        }
        Verb::UpdateOne(filter, changes) => {
            sql.update_one(filter, changes);
            sql.push(" RETURNING doc");
            Answer::Documents
        }
        Verb::ChangeOne(filter, changes) => {
            sql.update_one(filter, changes);
            Answer::Changed
        }
        Verb::UpdateMany(filter, changes) => {
            sql.update(changes);
            sql.push(" WHERE ");
            sql.filter(filter);
            Answer::Changed
        }
        Verb::TakeOne(filter) => {
            sql.take_one(filter);
            Answer::Documents
        }
        Verb::DeleteMany(filter) => {
            sql.push(&format!("DELETE FROM {table} WHERE "));
            sql.filter(filter);
            Answer::Changed
        }
        Verb::Sweep(sweep) => {
            sql.sweep(sweep);
            Answer::Changed
        }
    };
    let Sql { text, params, .. } = sql;
    (Statement { sql: text, params }, answer)
}

/// The statement that adds one document.
pub(super) fn insertion(schema: &Schema, encoded: &Encoded) -> Statement {
    let mut sql = Sql::of(schema);
    sql.insert(encoded);
    let Sql { text, params, .. } = sql;
    Statement { sql: text, params }
}

/// The generated column of an indexed path.
pub(super) fn column(path: &str) -> String {
    if path == "_id" {
        return "id".to_owned();
    }
    format!("f_{}", path.replace('.', "__"))
}

/// `CREATE … INDEX`, word for word as SQLite then keeps it.
pub(super) fn create_index(schema: &Schema, index: &Index) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let columns: Vec<String> = index.fields.iter().map(|path| column(path)).collect();
    let condition = match index.when {
        When::Always => String::new(),
        When::Present(path) => format!(" WHERE {} IS NOT NULL", column(path)),
        When::Equals(path, text) => format!(" WHERE {} = '{text}'", column(path)),
    };
    format!(
        "CREATE {unique}INDEX {} ON {} ({}){condition}",
        index.name,
        schema.collection,
        columns.join(", ")
    )
}

/// What SQLite says when a unique index of `schema` refuses a row.
pub(super) fn refusal(schema: &Schema, index: &Index) -> String {
    let columns: Vec<String> = index
        .fields
        .iter()
        .map(|path| format!("{}.{}", schema.collection, column(path)))
        .collect();
    columns.join(", ")
}

struct Sql<'s> {
    schema: &'s Schema,
    text: String,
    params: Vec<Param>,
    /// Whether the filter names the documents that it is about.
    is_by_ids: bool,
    /// The order of a page that begins at a position in it.
    begun: Option<Sort>,
}

impl<'s> Sql<'s> {
    fn of(schema: &'s Schema) -> Self {
        Self {
            schema,
            text: String::with_capacity(160),
            params: Vec::new(),
            is_by_ids: false,
            begun: None,
        }
    }
}

impl Sql<'_> {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn bind(&mut self, value: Param) {
        self.params.push(value);
        self.push("?");
    }

    fn path(&mut self, path: &str) {
        if path == "_id" || self.schema.indexes_path(path) {
            self.push(&column(path));
        } else {
            // Paths are constants of the code, never input.
            let _ = write!(self.text, "doc ->> '$.{path}'");
        }
    }

    fn insert(&mut self, encoded: &Encoded) {
        self.push(&format!(
            "INSERT INTO {} (id, doc) VALUES (",
            self.schema.collection
        ));
        let (id, text) = match encoded {
            Encoded::Json { id, text } => (id.clone(), text.clone()),
            Encoded::Bson(_) => (String::new(), String::new()),
        };
        self.bind(Param::Text(id));
        self.push(", ");
        self.bind(Param::Text(text));
        self.push(")");
    }

    fn find(&mut self, find: &Find) {
        self.push(&format!(
            "SELECT doc FROM {} WHERE ",
            self.schema.collection
        ));
        self.begun = find.sort.filter(|_| find.after.is_some());
        self.filter(&find.filter);
        if let Some(sort) = find.sort {
            let (than, order) = if sort.descending {
                ("<", "DESC")
            } else {
                (">", "ASC")
            };
            if let Some((value, id)) = &find.after {
                self.push(" AND (");
                self.path(sort.path);
                self.push(&format!(", id) {than} ("));
                self.bind(param(value));
                self.push(", ");
                self.bind(Param::Text(id.clone()));
                self.push(")");
            }
            self.push(" ORDER BY ");
            self.path(sort.path);
            self.push(&format!(" {order}, id {order}"));
        }
        if find.limit.is_some() || find.skip > 0 {
            self.limit(find.limit.map_or(-1, i64::from));
        }
        if find.skip > 0 {
            self.push(" OFFSET ");
            self.bind(Param::Integer(i64::try_from(find.skip).unwrap_or(i64::MAX)));
        }
    }

    fn limit(&mut self, most: i64) {
        // Of a bare parameter the planner wants to know the value, and so prepares the statement again
        // for every one; it looks through no sign.
        self.push(" LIMIT +");
        self.bind(Param::Integer(most));
    }

    fn sweep(&mut self, sweep: &Sweep) {
        let table = self.schema.collection;
        self.push(&format!(
            "DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE "
        ));
        self.filter(&sweep.filter);
        self.push(" ORDER BY ");
        self.path(sweep.path);
        self.limit(i64::from(sweep.most));
        self.push(")");
    }

    fn count(&mut self, filter: &Node) {
        let table = self.schema.collection;
        self.push(&format!("SELECT count(*) FROM {table} WHERE "));
        self.filter(filter);
    }

    fn update_one(&mut self, filter: &Node, changes: &[Change]) {
        self.update(changes);
        self.one_of(filter);
    }

    fn take_one(&mut self, filter: &Node) {
        self.push(&format!("DELETE FROM {}", self.schema.collection));
        self.one_of(filter);
        self.push(" RETURNING doc");
    }

    /// ` WHERE` the row is one that matches.
    fn one_of(&mut self, filter: &Node) {
        let table = self.schema.collection;
        self.push(&format!(" WHERE rowid = (SELECT rowid FROM {table} WHERE "));
        self.filter(filter);
        self.push(" LIMIT 1)");
    }

    /// Each function reads the whole document: one adds all that is added, another removes the rest.
    fn update(&mut self, changes: &[Change]) {
        let is_unset = |change: &&Change| matches!(change, Change::Unset(_));
        let (unset, set): (Vec<_>, Vec<_>) = changes.iter().partition(is_unset);
        self.push(&format!("UPDATE {} SET doc = ", self.schema.collection));
        for (function, some) in [("json_remove(", &unset), ("json_set(", &set)] {
            self.push(if some.is_empty() { "" } else { function });
        }
        self.push("doc");
        for some in [set, unset].iter().filter(|some| !some.is_empty()) {
            for change in some {
                self.change(change);
            }
            self.push(")");
        }
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Set(path, value) => {
                self.push(&format!(", '$.{path}', json("));
                self.bind(Param::Text(json(value).unwrap_or_default().to_string()));
                self.push(")");
            }
            Change::Unset(path) => self.push(&format!(", '$.{path}'")),
            Change::Inc(path, by) => {
                // Of all additions only sum() refuses to go on in floating point; it passes over
                // an absent counter.
                let counter = format!("SELECT doc ->> '$.{path}' AS part");
                self.push(&format!(
                    ", '$.{path}', (SELECT sum(part) FROM ({counter} UNION ALL SELECT "
                ));
                self.bind(Param::Integer(*by));
                self.push("))");
            }
        }
    }

    fn filter(&mut self, filter: &Node) {
        self.is_by_ids = names_ids(filter);
        self.node(filter);
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::All(nodes) => self.joined(nodes, " AND ", "1"),
            Node::Any(nodes) => self.joined(nodes, " OR ", "0"),
            Node::Is { path, test } => self.test(path, test),
        }
    }

    fn joined(&mut self, nodes: &[Node], word: &str, empty: &str) {
        if nodes.is_empty() {
            return self.push(empty);
        }
        self.push("(");
        for (position, node) in nodes.iter().enumerate() {
            if position > 0 {
                self.push(word);
            }
            self.node(node);
        }
        self.push(")");
    }

    fn test(&mut self, path: &str, test: &Test) {
        match test {
            Test::Eq(value) => {
                // Without statistics SQLite takes an index on a tenant, with all its rows, for better
                // than a few identifiers; a sign keeps it from that index.
                if self.is_by_ids && path != "_id" {
                    self.push("+");
                }
                self.compare(path, "=", value);
            }
            // IS NOT: an absent field differs from every value, as in MongoDB.
            Test::Ne(value) => self.compare(path, "IS NOT", value),
            Test::Lt(value) => self.bound(path, "<", value, true),
            Test::Lte(value) => self.bound(path, "<=", value, true),
            Test::Gt(value) => self.bound(path, ">", value, false),
            Test::Gte(value) => self.bound(path, ">=", value, false),
            Test::OneOf(values) => self.one_of_values(path, values),
            Test::Has(value) => {
                // A subquery's column list has no generated column for a list: always the document.
                let _ = write!(
                    self.text,
                    "EXISTS (SELECT 1 FROM json_each(doc, '$.{path}') WHERE value = "
                );
                self.bind(param(value));
                self.push(")");
            }
            Test::StartsWith(prefix) => self.starts_with(path, prefix),
            Test::Present => {
                self.path(path);
                self.push(" IS NOT NULL");
            }
            Test::Absent => {
                self.path(path);
                self.push(" IS NULL");
            }
        }
    }

    /// Where a page begins at a position, that is the nearer bound on its side. SQLite seeks by the
    /// first of two and reads through all pages before; a sign keeps it from the farther one.
    fn bound(&mut self, path: &str, operator: &str, value: &Value, is_upper: bool) {
        let is_passed = |sort: Sort| sort.path == path && sort.descending == is_upper;
        if self.begun.is_some_and(is_passed) {
            self.push("+");
        }
        self.compare(path, operator, value);
    }

    fn compare(&mut self, path: &str, operator: &str, value: &Value) {
        self.path(path);
        self.push(&format!(" {operator} "));
        self.bind(param(value));
    }

    fn one_of_values(&mut self, path: &str, values: &[Value]) {
        if values.is_empty() {
            return self.push("0");
        }
        self.path(path);
        self.push(" IN (");
        for (position, value) in values.iter().enumerate() {
            if position > 0 {
                self.push(", ");
            }
            self.bind(param(value));
        }
        self.push(")");
    }

    fn starts_with(&mut self, path: &str, prefix: &str) {
        self.push("(");
        self.path(path);
        self.push(" >= ");
        self.bind(Param::Text(prefix.to_owned()));
        if let Some(end) = prefix_end(prefix) {
            self.push(" AND ");
            self.path(path);
            self.push(" < ");
            self.bind(Param::Text(end));
        }
        self.push(")");
    }
}

/// Whether whatever matches is one of some documents that are named.
fn names_ids(filter: &Node) -> bool {
    match filter {
        Node::All(nodes) => nodes.iter().any(names_ids),
        Node::Any(_) => false,
        Node::Is { path, test } => *path == "_id" && matches!(test, Test::OneOf(_)),
    }
}

/// A value as SQLite compares it: what `->>` yields for the same JSON.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the language compares nothing else"
)]
fn param(value: &Value) -> Param {
    match value {
        Bson::Boolean(truth) => Param::Integer(i64::from(*truth)),
        Bson::DateTime(at) => Param::Text(text_of(*at)),
        Bson::Int32(number) => Param::Integer(i64::from(*number)),
        Bson::Int64(number) => Param::Integer(*number),
        Bson::Double(number) => Param::Real(*number),
        Bson::String(text) => Param::Text(text.clone()),
        // Equals nothing.
        _ => Param::Null,
    }
}
