//! The subcommands, one file each.

pub mod config;
pub mod demo;
pub mod openapi;
pub mod serve;
pub mod token;
