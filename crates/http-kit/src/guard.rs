//! Has every described route a policy rule, and every rule a route? Asked at start and in the tests.

use std::collections::BTreeSet;

use praxis_auth::policy::{DuplicateRule, PolicyTable, Rule, Verb};
use thiserror::Error;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};

use crate::meta;

/// Why a process has no policy to start with.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum GuardError {
    /// Two rules name one route.
    #[error(transparent)]
    Duplicate(#[from] DuplicateRule),
    /// Description and rules differ.
    #[error("routes and policy rules differ: {}", .0.join("; "))]
    Disagreement(Vec<String>),
}

/// The policy of a process: the rules of the described routes, and those of what every process says of itself.
///
/// # Errors
/// [`GuardError`] if a route has no rule or two, or a rule no route: a process does not start with either.
pub fn policy(api: &OpenApi, rules: impl IntoIterator<Item = Rule>) -> Result<PolicyTable, GuardError> {
    let described = PolicyTable::try_new(rules)?;
    let found = disagreements(api, &described);
    if !found.is_empty() {
        return Err(GuardError::Disagreement(found));
    }
    Ok(PolicyTable::try_new(
        described.rules().chain(meta::RULES.iter().copied()),
    )?)
}

/// What the description of an API and the policy table do not agree on, one sentence each; empty is good.
pub fn disagreements(api: &OpenApi, policy: &PolicyTable) -> Vec<String> {
    let described: BTreeSet<(String, Verb)> = api
        .paths
        .paths
        .iter()
        .flat_map(|(path, item)| verbs(item).into_iter().map(move |verb| (path.clone(), verb)))
        .collect();
    let ruled: BTreeSet<(String, Verb)> = policy
        .rules()
        .map(|rule| (rule.path.to_owned(), rule.verb))
        .collect();
    let unruled = described
        .difference(&ruled)
        .map(|(path, verb)| format!("{verb} {path} has no policy rule"));
    let unserved = ruled
        .difference(&described)
        .map(|(path, verb)| format!("{verb} {path} is not described"));
    unruled.chain(unserved).collect()
}

fn verbs(item: &PathItem) -> Vec<Verb> {
    let operation = |verb: Verb| -> &Option<Operation> {
        match verb {
            Verb::Get => &item.get,
            Verb::Post => &item.post,
            Verb::Put => &item.put,
            Verb::Patch => &item.patch,
            Verb::Delete => &item.delete,
        }
    };
    Verb::ALL
        .into_iter()
        .filter(|verb| operation(*verb).is_some())
        .collect()
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::path::HttpMethod;
    use utoipa::openapi::{OpenApiBuilder, PathsBuilder};

    use super::*;

    fn api(routes: &[(&str, HttpMethod)]) -> OpenApi {
        let mut paths = PathsBuilder::new();
        for (path, method) in routes {
            paths = paths.path(*path, PathItem::new(method.clone(), Operation::new()));
        }
        OpenApiBuilder::new().paths(paths.build()).build()
    }

    #[test]
    fn a_described_route_without_a_rule_is_named() {
        let policy = PolicyTable::try_new([Rule::public(Verb::Get, "/a")]).unwrap();
        let api = api(&[
            ("/a", HttpMethod::Get),
            ("/a", HttpMethod::Post),
            ("/b", HttpMethod::Delete),
        ]);
        assert_eq!(
            disagreements(&api, &policy),
            ["POST /a has no policy rule", "DELETE /b has no policy rule"]
        );
    }

    #[test]
    fn a_process_has_a_policy_only_if_routes_and_rules_agree() {
        let rules = [Rule::public(Verb::Get, "/a")];
        let policy_of = |routes: &[(&str, HttpMethod)]| policy(&api(routes), rules);
        let agreed = policy_of(&[("/a", HttpMethod::Get)]).unwrap();
        assert_eq!(agreed.rules().count(), 1 + meta::RULES.len());
        let outcome = policy_of(&[("/a", HttpMethod::Get), ("/b", HttpMethod::Get)]);
        assert_eq!(
            outcome.unwrap_err().to_string(),
            "routes and policy rules differ: GET /b has no policy rule"
        );
        let twice = policy(&api(&[("/a", HttpMethod::Get)]), [rules[0], rules[0]]);
        assert!(matches!(twice, Err(GuardError::Duplicate(_))), "{twice:?}");
    }

    #[test]
    fn a_rule_without_a_described_route_is_named() {
        let rules = [Rule::public(Verb::Get, "/a"), Rule::public(Verb::Put, "/a")];
        let policy = PolicyTable::try_new(rules).unwrap();
        assert_eq!(
            disagreements(&api(&[("/a", HttpMethod::Get)]), &policy),
            ["PUT /a is not described"]
        );
    }
}
