//! The subcommands, one file each.

pub mod config;
pub mod demo;
pub mod healthcheck;
pub mod import;
pub mod keys;
pub mod migrate;
pub mod openapi;
pub mod serve;
pub mod token;
pub mod views;
