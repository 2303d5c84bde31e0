//! The port's language in MongoDB's.

use bson::{Bson, Document, doc};

use crate::store::op::Find;
use crate::store::query::{Node, Test};
use crate::store::schema::{Index, When};
use crate::store::update::Change;
use crate::store::value::prefix_end;

/// A filter document.
pub(super) fn filter(node: &Node) -> Document {
    match node {
        Node::All(nodes) => match nodes.as_slice() {
            [] => Document::new(),
            [one] => filter(one),
            many => doc! { "$and": many.iter().map(filter).collect::<Vec<_>>() },
        },
        Node::Any(nodes) => match nodes.as_slice() {
            [] => doc! { "_id": { "$in": [] } },
            many => doc! { "$or": many.iter().map(filter).collect::<Vec<_>>() },
        },
        Node::Is { path, test } => doc! { *path: condition(test) },
    }
}

fn condition(test: &Test) -> Bson {
    match test {
        Test::Eq(value) => doc! { "$eq": value.clone() }.into(),
        Test::Ne(value) => doc! { "$ne": value.clone() }.into(),
        Test::Lt(value) => doc! { "$lt": value.clone() }.into(),
        Test::Lte(value) => doc! { "$lte": value.clone() }.into(),
        Test::Gt(value) => doc! { "$gt": value.clone() }.into(),
        Test::Gte(value) => doc! { "$gte": value.clone() }.into(),
        Test::OneOf(values) => doc! { "$in": values.clone() }.into(),
        Test::Has(value) => doc! { "$elemMatch": { "$eq": value.clone() } }.into(),
        Test::StartsWith(prefix) => match prefix_end(prefix) {
            Some(end) => doc! { "$gte": prefix, "$lt": end }.into(),
            None => doc! { "$gte": prefix }.into(),
        },
        // Null stands for missing in both directions; the port never stores it.
        Test::Present => doc! { "$ne": Bson::Null }.into(),
        Test::Absent => Bson::Null,
    }
}

/// The filter of a find, its keyset position included.
pub(super) fn selection(find: &Find) -> Document {
    let wanted = filter(&find.filter);
    let (Some(sort), Some((value, id))) = (find.sort, &find.after) else {
        return wanted;
    };
    let (than, from) = if sort.descending {
        ("$lt", "$lte")
    } else {
        ("$gt", "$gte")
    };
    let after = doc! { "$or": [
        { sort.path: { than: value.clone() } },
        { sort.path: value.clone(), "_id": { than: id } },
    ] };
    // The planner does not see that both alternatives begin at the position; told so, it begins
    // there instead of at the first page.
    let begin = doc! { sort.path: { from: value.clone() } };
    doc! { "$and": [wanted, begin, after] }
}

/// The order of a find.
pub(super) fn order(find: &Find) -> Option<Document> {
    find.sort.map(|sort| {
        let direction = if sort.descending { -1 } else { 1 };
        doc! { sort.path: direction, "_id": direction }
    })
}

/// An update document; `changes` are not empty.
pub(super) fn update(changes: &[Change]) -> Document {
    let (mut set, mut unset, mut inc) = (Document::new(), Document::new(), Document::new());
    for change in changes {
        match change {
            Change::Set(path, value) => drop(set.insert(*path, value.clone())),
            Change::Unset(path) => drop(unset.insert(*path, "")),
            Change::Inc(path, by) => drop(inc.insert(*path, *by)),
        }
    }
    let operators = [("$set", set), ("$unset", unset), ("$inc", inc)];
    operators
        .into_iter()
        .filter(|(_, fields)| !fields.is_empty())
        .map(|(operator, fields)| (operator.to_owned(), Bson::Document(fields)))
        .collect()
}

/// The keys of a declared index.
pub(super) fn keys(index: &Index) -> Document {
    index
        .fields
        .iter()
        .map(|path| ((*path).to_owned(), Bson::Int32(1)))
        .collect()
}

/// Which documents a declared index covers.
pub(super) fn partial(index: &Index) -> Option<Document> {
    match index.when {
        When::Always => None,
        // Equality on the field implies this, so the planner uses the index for look-ups;
        // of `$type` it would not know.
        When::Present(path) => Some(doc! { path: { "$exists": true } }),
        When::Equals(path, text) => Some(doc! { path: text }),
    }
}
