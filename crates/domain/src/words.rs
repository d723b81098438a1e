//! How much may people say in their own words, where?

use crate::values::free_text::FreeText;

/// Why somebody did something, beside its code.
pub type Comment = FreeText<500>;

/// Why a patient comes.
pub type VisitReason = FreeText<500>;

/// What a conversation is about.
pub type Topic = FreeText<200>;

/// What a message says.
pub type MessageBody = FreeText<10_000>;
