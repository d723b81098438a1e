//! What do the connections of a pool tell: how many there may be, are used, lie idle, are waited for, and for how long?

use std::time::{Duration, Instant};

use metrics::{Gauge, Histogram};

/// What one pool tells. Pools of one name, such as those of two generations, tell their sum.
#[derive(Debug)]
pub(crate) struct Meter {
    in_use: Gauge,
    idle: Gauge,
    waiters: Gauge,
    wait: Histogram,
    _most: Counted,
}

/// So many more in a gauge for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Counted {
    gauge: Gauge,
    count: f64,
}

/// A wait for a connection: over, or given up, when this is dropped.
pub(crate) struct Waiting<'a> {
    wait: &'a Histogram,
    since: Instant,
    _counted: Counted,
}

impl Meter {
    pub(crate) fn new(pool: &'static str, connections_max: usize) -> Self {
        let most = metrics::gauge!("praxis_database_connections_max", "pool" => pool);
        let connections_max = f64::from(u32::try_from(connections_max).unwrap_or(u32::MAX));
        Self {
            in_use: metrics::gauge!("praxis_database_connections_in_use", "pool" => pool),
            idle: metrics::gauge!("praxis_database_connections_idle", "pool" => pool),
            waiters: metrics::gauge!("praxis_database_connection_waiters", "pool" => pool),
            wait: metrics::histogram!("praxis_database_connection_wait_seconds", "pool" => pool),
            _most: Counted::new(&most, connections_max),
        }
    }

    pub(crate) fn in_use(&self) -> Counted {
        Counted::new(&self.in_use, 1.0)
    }

    pub(crate) fn idle(&self) -> Counted {
        Counted::new(&self.idle, 1.0)
    }

    /// One could be had at once.
    pub(crate) fn no_wait(&self) {
        self.wait.record(Duration::ZERO);
    }

    pub(crate) fn wait(&self) -> Waiting<'_> {
        Waiting {
            wait: &self.wait,
            since: Instant::now(),
            _counted: Counted::new(&self.waiters, 1.0),
        }
    }
}

impl Counted {
    fn new(gauge: &Gauge, count: f64) -> Self {
        gauge.increment(count);
        Self {
            gauge: gauge.clone(),
            count,
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.gauge.decrement(self.count);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.wait.record(self.since.elapsed());
    }
}
