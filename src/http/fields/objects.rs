//! Objects inside of objects, and lists of them.

use serde_json::Value;

use super::{FieldError, Fields, FromFields, collected};

impl Fields {
    /// A list of at most `most` objects that must be there. Every fault in every object is told.
    pub fn objects<T: FromFields>(&mut self, name: &'static str, most: usize) -> Option<Vec<T>> {
        let items = self.items(name)?;
        self.parsed_objects(name, items, most)
    }

    /// A list of at most `most` objects, or absent.
    pub fn optional_objects<T: FromFields>(
        &mut self,
        name: &'static str,
        most: usize,
    ) -> Option<Option<Vec<T>>> {
        match self.take(name) {
            None | Some(Value::Null) => Some(None),
            Some(Value::Array(items)) => self.parsed_objects(name, items, most).map(Some),
            Some(_) => self.fault(name, "wrong_type", "must be a list"),
        }
    }

    /// A list of at most `most` of anything, as it stands: each item is read by itself.
    pub fn items_as_they_are(&mut self, name: &'static str, most: usize) -> Option<Vec<Value>> {
        let items = self.items(name)?;
        if items.len() > most {
            return self.fault(name, "too_many", format!("at most {most}"));
        }
        Some(items)
    }

    /// An object, or absent. Every fault in it is told.
    pub fn object<T: FromFields>(&mut self, name: &'static str) -> Option<Option<T>> {
        match self.take(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => self.parsed_object(name, value).map(Some),
        }
    }

    fn parsed_objects<T: FromFields>(
        &mut self,
        name: &'static str,
        items: Vec<Value>,
        most: usize,
    ) -> Option<Vec<T>> {
        if items.len() > most {
            return self.fault(name, "too_many", format!("at most {most}"));
        }
        let numbered = items.into_iter().enumerate();
        let parsed =
            numbered.map(|(index, item)| self.parsed_object(&format!("{name}/{index}"), item));
        collected(parsed.collect())
    }

    fn parsed_object<T: FromFields>(&mut self, at: &str, item: Value) -> Option<T> {
        let Value::Object(members) = item else {
            return self.fault(at, "wrong_type", "must be an object");
        };
        let mut fields = Self::of(members, self.source);
        let value = T::from_fields(&mut fields);
        fields.refuse_the_rest();
        let is_whole = fields.errors.is_empty();
        self.errors
            .extend(fields.errors.into_iter().map(|error| FieldError {
                pointer: error.pointer.map(|inside| format!("/{at}{inside}")),
                ..error
            }));
        value.filter(|_| is_whole)
    }
}
