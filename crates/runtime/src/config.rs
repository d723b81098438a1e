//! What is this process told to do, by whom, and is it told anything wrong?
//!
//! `settings` describes every setting once; `read` reads them all from the environment at one moment and gathers
//! every fault; `show` prints what was read and the reference page.

pub mod read;
pub mod setting;
pub mod settings;
pub mod show;
pub mod values;
