//! The subcommands, one file each.

pub mod accounts;
pub mod audit;
pub mod backup;
pub mod config;
pub mod demo;
pub mod healthcheck;
pub mod import;
pub mod keys;
pub mod migrate;
pub mod openapi;
pub mod restore;
pub mod serve;
pub mod token;
pub mod views;
