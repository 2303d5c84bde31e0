//! Fields of which the handler judges what they hold.

use serde_json::Value;

use super::Fields;

impl Fields {
    /// Anything but nothing, which must be there.
    pub fn json(&mut self, name: &'static str) -> Option<Value> {
        let value = self.demand(name)?;
        if value.is_null() {
            return self.fault(name, "wrong_type", "must not be null");
        }
        Some(value)
    }
}
