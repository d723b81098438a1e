//! Does the command API know what the query API serves at its addresses?

use std::collections::BTreeSet;

use praxis_command_api::routes::{READ_BESIDE, RULES};

#[test]
fn what_the_query_api_serves_beside_the_command_api_is_listed_there() {
    let written: BTreeSet<_> = RULES.iter().map(|rule| rule.path).collect();
    let read = praxis_query_api::routes::RULES.iter();
    let beside = read.filter(|rule| written.contains(rule.path));
    let beside: BTreeSet<_> = beside.map(|rule| (rule.path, rule.verb.name())).collect();
    let listed: BTreeSet<_> = READ_BESIDE
        .iter()
        .map(|(path, verb)| (*path, verb.name()))
        .collect();
    assert_eq!(listed, beside);
}
