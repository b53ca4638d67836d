//! Envoy's metrics, by name: all workers count into the same.

#[derive(Default)]
pub(super) struct Metrics(Vec<Metric>);

struct Metric {
    kind: u32,
    name: String,
    value: u64,
}

impl Metrics {
    /// Its number, from 1 up; the same for the same name.
    pub(super) fn define(&mut self, kind: u32, name: &str) -> usize {
        let known = self.0.iter().position(|metric| metric.name == name && metric.kind == kind);
        let at = known.unwrap_or_else(|| {
            self.0.push(Metric { kind, name: name.to_owned(), value: 0 });
            self.0.len() - 1
        });
        at + 1
    }

    pub(super) fn add(&mut self, id: u32, offset: i64) -> Option<()> {
        let value = &mut self.0.get_mut((id as usize).checked_sub(1)?)?.value;
        *value = value.checked_add_signed(offset)?;
        Some(())
    }

    pub(super) fn record(&mut self, id: u32, value: u64) -> Option<()> {
        self.0.get_mut((id as usize).checked_sub(1)?)?.value = value;
        Some(())
    }

    /// 0 for one that nobody has defined.
    pub(super) fn value(&self, name: &str) -> u64 {
        self.0.iter().find(|metric| metric.name == name).map_or(0, |metric| metric.value)
    }
}
