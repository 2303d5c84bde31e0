//! Values that are neither texts nor lists of them.

use std::fmt::Display;

use serde_json::Value;

use super::Fields;

impl Fields {
    /// A value of any kind, or absent. A fault of `parse` is told as `invalid_<name>`.
    pub fn value<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(Value) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match self.take(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => match parse(value) {
                Ok(value) => Some(Some(value)),
                Err(reason) => self.fault(name, &format!("invalid_{name}"), reason.to_string()),
            },
        }
    }

    /// Some of what there is, each once and at least one, or absent. Every bad item is told.
    pub fn choice<T: PartialEq, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Option<Vec<T>>> {
        let Some(chosen) = self.optional_list(name, parse)? else {
            return Some(None);
        };
        if chosen.is_empty() {
            return self.fault(name, "too_few", "at least one must be left");
        }
        let is_repeated = |at: usize| chosen[..at].contains(&chosen[at]);
        if let Some(at) = (0..chosen.len()).find(|at| is_repeated(*at)) {
            return self.fault(&format!("{name}/{at}"), "duplicate", "is there twice");
        }
        Some(Some(chosen))
    }

    /// A number that need not be whole, or absent.
    pub fn decimal(&mut self, name: &'static str) -> Option<Option<f64>> {
        self.value(name, |value| value.as_f64().ok_or("must be a number"))
    }
}
