//! Has every described route a policy rule, and every rule a route? Asked at start and in the tests.

use std::collections::BTreeSet;

use praxis_auth::policy::{PolicyTable, Verb};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};

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
    use praxis_auth::policy::Rule;
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
    fn a_rule_without_a_described_route_is_named() {
        let rules = [Rule::public(Verb::Get, "/a"), Rule::public(Verb::Put, "/a")];
        let policy = PolicyTable::try_new(rules).unwrap();
        assert_eq!(
            disagreements(&api(&[("/a", HttpMethod::Get)]), &policy),
            ["PUT /a is not described"]
        );
    }
}
