//! What the routes of the command API share.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::execute::Executor;
use crate::numbers::RecordNumbers;

/// Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Carries out commands.
    pub executor: Arc<Executor>,
    /// Gives out record numbers.
    pub record_numbers: Arc<RecordNumbers>,
}

impl FromRef<App> for Arc<Executor> {
    fn from_ref(app: &App) -> Self {
        Self::clone(&app.executor)
    }
}
