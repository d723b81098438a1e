//! Which route may which role use? One table decides for every door.
//!
//! **Invariant: what is not in the table is denied.** Each API lists its rules beside its routes
//! (`pub const RULES: &[Rule]`), the main joins them into one [`PolicyTable`], and the middleware asks it.

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

use crate::claims::{Principal, Role};

/// The HTTP methods routes are served under; `HEAD` is judged as `GET`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// Read.
    Get,
    /// Create, search, or do.
    Post,
    /// Replace.
    Put,
    /// Change in part.
    Patch,
    /// Remove.
    Delete,
}

impl Verb {
    /// Every verb there is.
    pub const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// The method's name, as `GET`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// The verb a method of that name is judged as; `None` for a method no route is served under.
    pub fn from_method(name: &str) -> Option<Self> {
        let name = if name == "HEAD" { "GET" } else { name };
        Self::ALL.into_iter().find(|verb| verb.name() == name)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whom a route serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone, without a token.
    Public,
    /// Callers with a valid token of one of these roles.
    Roles(&'static [Role]),
}

/// One line of the table: a method, a path template as the router writes it (`/patients/{id}`), and whom it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The method.
    pub verb: Verb,
    /// The path template, with parameters in braces.
    pub path: &'static str,
    /// Whom it serves.
    pub access: Access,
}

impl Rule {
    /// A route for callers of these roles.
    pub const fn roles(verb: Verb, path: &'static str, roles: &'static [Role]) -> Self {
        Self {
            verb,
            path,
            access: Access::Roles(roles),
        }
    }

    /// A route for anyone.
    pub const fn public(verb: Verb, path: &'static str) -> Self {
        Self {
            verb,
            path,
            access: Access::Public,
        }
    }
}

/// Two rules name one route.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("two policy rules for {verb} {path}")]
pub struct DuplicateRule {
    /// The method.
    pub verb: Verb,
    /// The path template.
    pub path: &'static str,
}

/// What the table says about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Allowed,
    /// No rule names the route: it does not exist for anyone.
    NoRule,
    /// A rule names the path, not with this method.
    OtherMethod,
    /// A token is needed and there is none.
    NeedsToken,
    /// The caller's role is not served.
    RoleRefused,
}

/// The one policy table of a process.
#[derive(Clone, Debug, Default)]
pub struct PolicyTable {
    rules: BTreeMap<(&'static str, Verb), Access>,
}

impl PolicyTable {
    /// The table of all these rules; two for one route are a fault.
    pub fn try_new(rules: impl IntoIterator<Item = Rule>) -> Result<Self, DuplicateRule> {
        let mut table = BTreeMap::new();
        for Rule { verb, path, access } in rules {
            if table.insert((path, verb), access).is_some() {
                return Err(DuplicateRule { verb, path });
            }
        }
        Ok(Self { rules: table })
    }

    /// Whom that route serves, if it is in the table.
    pub fn access(&self, verb: Verb, path: &str) -> Option<Access> {
        self.rules.get(&(path, verb)).copied()
    }

    /// The methods the table has for that path.
    pub fn verbs(&self, path: &str) -> Vec<Verb> {
        Verb::ALL
            .into_iter()
            .filter(|verb| self.access(*verb, path).is_some())
            .collect()
    }

    /// What the table says about that caller on that route; `verb` is `None` for a method no route has.
    pub fn decide(&self, verb: Option<Verb>, path: &str, caller: Option<&Principal>) -> Decision {
        let Some(access) = verb.and_then(|verb| self.access(verb, path)) else {
            return if self.verbs(path).is_empty() {
                Decision::NoRule
            } else {
                Decision::OtherMethod
            };
        };
        match (access, caller) {
            (Access::Public, _) => Decision::Allowed,
            (Access::Roles(_), None) => Decision::NeedsToken,
            (Access::Roles(roles), Some(caller)) if roles.contains(&caller.role) => Decision::Allowed,
            (Access::Roles(_), Some(_)) => Decision::RoleRefused,
        }
    }

    /// Every rule, ordered by path and method: for the printed matrix, and for tests that try each route.
    pub fn rules(&self) -> impl Iterator<Item = Rule> + '_ {
        self.rules.iter().map(|((path, verb), access)| Rule {
            verb: *verb,
            path,
            access: *access,
        })
    }

    /// The table as Markdown: a row per route, a column per role.
    pub fn matrix(&self) -> String {
        let names = Role::ALL.map(Role::name).join(" | ");
        let mut lines = vec![
            format!("| Route | public | {names} |"),
            format!("|---|---|{}", "---|".repeat(Role::ALL.len())),
        ];
        for rule in self.rules() {
            let public = if rule.access == Access::Public { "yes" } else { "" };
            let served = Role::ALL.map(|role| match rule.access {
                Access::Roles(roles) if roles.contains(&role) => "yes",
                Access::Roles(_) | Access::Public => "",
            });
            lines.push(format!(
                "| `{} {}` | {public} | {} |",
                rule.verb,
                rule.path,
                served.join(" | ")
            ));
        }
        lines.join("\n") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const RULES: &[Rule] = &[
        Rule::public(Verb::Get, "/health"),
        Rule::roles(Verb::Post, "/patients", &[Role::Admin, Role::Staff]),
        Rule::roles(Verb::Get, "/patients/{id}", &[Role::Doctor]),
    ];

    fn table() -> PolicyTable {
        PolicyTable::try_new(RULES.iter().copied()).unwrap()
    }

    fn caller(role: Role) -> Principal {
        Principal {
            account_id: Uuid::from_u128(1),
            role,
            patient_id: None,
            practitioner_id: None,
        }
    }

    #[test]
    fn a_public_route_serves_anyone() {
        assert_eq!(
            table().decide(Some(Verb::Get), "/health", None),
            Decision::Allowed
        );
    }

    #[test]
    fn a_route_serves_its_roles_and_no_other() {
        for role in Role::ALL {
            let expected = match role {
                Role::Admin | Role::Staff => Decision::Allowed,
                Role::Doctor | Role::Patient | Role::Auditor => Decision::RoleRefused,
            };
            assert_eq!(
                table().decide(Some(Verb::Post), "/patients", Some(&caller(role))),
                expected
            );
        }
        assert_eq!(
            table().decide(Some(Verb::Post), "/patients", None),
            Decision::NeedsToken
        );
    }

    #[test]
    fn what_is_not_in_the_table_is_denied_to_everyone() {
        for role in Role::ALL {
            let caller = caller(role);
            let decision = table().decide(Some(Verb::Get), "/unlisted", Some(&caller));
            assert_eq!(decision, Decision::NoRule);
            let decision = table().decide(Some(Verb::Delete), "/patients", Some(&caller));
            assert_eq!(decision, Decision::OtherMethod);
            assert_eq!(
                table().decide(None, "/patients", Some(&caller)),
                Decision::OtherMethod
            );
        }
    }

    #[test]
    fn head_is_judged_as_get() {
        assert_eq!(Verb::from_method("HEAD"), Some(Verb::Get));
        assert_eq!(Verb::from_method("TRACE"), None);
    }

    #[test]
    fn two_rules_for_one_route_are_a_fault() {
        let twice = RULES.iter().chain(&RULES[1..2]).copied();
        let fault = PolicyTable::try_new(twice).unwrap_err();
        assert_eq!(
            fault,
            DuplicateRule {
                verb: Verb::Post,
                path: "/patients"
            }
        );
    }

    #[test]
    fn the_matrix_has_a_row_for_each_route() {
        let matrix = table().matrix();
        assert_eq!(matrix.lines().count(), 2 + RULES.len());
        assert!(
            matrix.contains("| `GET /health` | yes |  |  |  |  |  |"),
            "{matrix}"
        );
        assert!(
            matrix.contains("| `POST /patients` |  | yes |  | yes |  |  |"),
            "{matrix}"
        );
    }
}
