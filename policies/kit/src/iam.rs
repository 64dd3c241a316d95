//! Trust policies of AWS roles: who may assume a role, read from the objects that make roles (rules.md §3.1 and §6.C).

use crate::issuer;
use crate::node::{Format, Node};
use crate::request::group_of;
use crate::text;
use crate::trust::GROUP;

/// The trust policy of an object that makes a role; absent for any other, and for a text that is not JSON.
///
/// AWS Controllers for Kubernetes and both Crossplane providers hold it as JSON in a string; the engine lifts documents into a map.
pub fn policy(object: Node<'_>) -> Option<Node<'_>> {
    let kind = object.peek_text("kind").filter(|kind| matches!(*kind, "AssumeRolePolicy" | "Role"))?;
    let spec = object.peek("spec");
    let text = match (group_of(object.peek_text("apiVersion")?), kind) {
        (GROUP, "AssumeRolePolicy") => return Some(spec.get("document")),
        ("iam.services.k8s.aws", "Role") => spec.get("assumeRolePolicyDocument"),
        ("iam.aws.crossplane.io", "Role") => spec.get("forProvider").get("assumeRolePolicyDocument"),
        ("iam.aws.upbound.io" | "iam.aws.m.upbound.io", "Role") => spec.get("forProvider").get("assumeRolePolicy"),
        _ => return None,
    };
    text.open(Format::Json).ok()
}

/// The name of the role that an object makes, as far as the object says it.
pub fn role_name(object: Node<'_>) -> Option<&str> {
    let metadata = object.peek("metadata");
    let spec = object.peek("spec");
    let external = metadata.peek("annotations").peek_text("crossplane.io/external-name");
    let own = spec.peek_text("name").or_else(|| spec.peek_text("role"));
    external.or(own).or_else(|| metadata.peek_text("name")).filter(|name| !name.is_empty())
}

/// A statement that allows.
pub struct Statement<'a> {
    /// The statement's map.
    pub node: Node<'a>,
    /// `Action`: a string or a list.
    pub action: Node<'a>,
    /// The issuers in the ARNs that `Principal.Federated` names, without scheme, which no right ARN has.
    pub issuers: Vec<(Node<'a>, &'a str)>,
    /// Every test of its conditions; all of them must hold.
    pub tests: Vec<Test<'a>>,
}

/// One condition: an operator, a key and the values of which one must fit.
pub struct Test<'a> {
    /// `StringEquals`, `ForAnyValue:StringLike` …
    pub operator: &'a str,
    /// `<issuer>:sub`, `aws:RequestTag/…`
    pub key: &'a str,
    /// The key's value: a string or a list.
    pub node: Node<'a>,
}

impl<'a> Test<'a> {
    /// The values.
    pub fn values(&self) -> Vec<Node<'a>> {
        one_or_many(self.node)
    }

    /// Whether the operator wants one of the values: `StringEquals` or `StringLike` in any of their forms, not their negations.
    pub fn is_positive(&self) -> bool {
        self.is("StringEquals") || self.is("StringEqualsIgnoreCase") || self.is("StringLike") || self.is("ArnLike") || self.is("ArnEquals")
    }

    /// Whether `*` and `?` are patterns.
    pub fn is_pattern(&self) -> bool {
        self.is("StringLike") || self.is("ArnLike")
    }

    fn is(&self, name: &str) -> bool {
        let operator = self.operator.rsplit(':').next().unwrap_or("");
        let operator = operator.strip_suffix("IfExists").unwrap_or(operator);
        operator.eq_ignore_ascii_case(name)
    }

    /// The issuer and the claim of `<issuer>:<claim>`; `None` for keys of AWS itself.
    pub fn claim(&self) -> Option<(&'a str, &'a str)> {
        let (issuer, claim) = self.key.rsplit_once(':')?;
        (issuer.contains('.')).then_some((issuer, claim))
    }
}

impl<'a> Statement<'a> {
    /// Whether `Action` allows the action; patterns such as `sts:*` count.
    pub fn allows(&self, action: &str) -> bool {
        one_or_many(self.action)
            .iter()
            .filter_map(|item| item.peek_str())
            .any(|allowed| text::Glob::new(allowed.to_ascii_lowercase()).matches(&action.to_ascii_lowercase()))
    }

    /// Whether `Action` is there, known in full, and does not allow the action.
    pub fn lacks(&self, action: &str) -> bool {
        let actions = one_or_many(self.action);
        let is_known = |item: &Node<'_>| item.peek_str().is_some_and(|text| text::classify(text) == text::Value::Plain);
        !actions.is_empty() && actions.iter().all(is_known) && !self.allows(action)
    }

    /// Whether a service of AWS may assume the role.
    pub fn trusts_service(&self, service: &str) -> bool {
        let principal = self.node.peek("Principal").peek("Service");
        one_or_many(principal).iter().any(|item| item.peek_str() == Some(service))
    }

    /// Whether the tests of `:sub` let the subject in; `None` if there are none, or if only somebody else knows their values.
    pub fn admits(&self, subject: &str) -> Option<bool> {
        let mut admits = None;
        for test in self.tests_of("sub") {
            let values = test.values();
            let mut texts = values.iter().map(|value| value.peek_str().filter(|text| text::classify(text) == text::Value::Plain));
            let fits = |text: &str| match text {
                _ if test.is_pattern() => text::Glob::new(text.replace('?', "*")).matches(subject),
                _ if test.is("StringEqualsIgnoreCase") => text.eq_ignore_ascii_case(subject),
                _ => text == subject,
            };
            if texts.clone().flatten().any(fits) {
                admits = admits.or(Some(true));
            } else if texts.all(|text| text.is_some()) {
                return Some(false);
            } else {
                return None;
            }
        }
        admits
    }

    /// The tests of a claim that want one of their values.
    pub fn tests_of(&self, claim: &str) -> Vec<&Test<'a>> {
        self.tests
            .iter()
            .filter(|test| test.is_positive() && test.claim().is_some_and(|(_, name)| name.eq_ignore_ascii_case(claim)))
            .collect()
    }
}

/// The statements of a trust policy that allow something.
pub fn statements(policy: Node<'_>) -> Vec<Statement<'_>> {
    one_or_many(policy.peek("Statement"))
        .into_iter()
        .filter(|statement| statement.peek_text("Effect") == Some("Allow"))
        .map(|node| {
            let federated = one_or_many(node.peek("Principal").peek("Federated"));
            Statement {
                node,
                action: node.peek("Action"),
                issuers: federated.into_iter().filter_map(|item| Some((item, provider(item.peek_str()?)?))).collect(),
                tests: node
                    .peek("Condition")
                    .peek_entries()
                    .flat_map(|(operator, keys)| keys.peek_entries().map(move |(key, node)| Test { operator, key, node }))
                    .collect(),
            }
        })
        .collect()
}

/// The issuer in the ARN of an IAM OIDC provider.
fn provider(arn: &str) -> Option<&str> {
    let (_, issuer) = arn.split_once(":oidc-provider/")?;
    Some(without_scheme(issuer).unwrap_or(issuer)).filter(|issuer| !issuer.is_empty())
}

/// What follows the scheme of an issuer, if it is written with one.
pub fn without_scheme(issuer: &str) -> Option<&str> {
    issuer.strip_prefix("https://").or_else(|| issuer.strip_prefix("http://"))
}

/// The subjects, written out in full, that the policy lets in by web identity.
pub fn subjects(policy: Node<'_>) -> Vec<&str> {
    statements(policy)
        .iter()
        .filter(|statement| statement.allows("sts:AssumeRoleWithWebIdentity"))
        .flat_map(|statement| statement.tests_of("sub").into_iter().flat_map(Test::values).collect::<Vec<_>>())
        .filter_map(|value| value.peek_str())
        .collect()
}

/// An IAM OIDC provider object: the issuer's URL and the list of audiences.
pub fn oidc_provider(object: Node<'_>) -> Option<(Node<'_>, Node<'_>)> {
    if object.peek_text("kind") != Some("OpenIDConnectProvider") {
        return None;
    }
    let spec = object.peek("spec");
    let parameters = spec.get("forProvider");
    match group_of(object.peek_text("apiVersion")?) {
        "iam.services.k8s.aws" | GROUP => Some((spec.get("url"), spec.get("clientIDs"))),
        "iam.aws.crossplane.io" => Some((parameters.get("url"), parameters.get("clientIDList"))),
        "iam.aws.upbound.io" | "iam.aws.m.upbound.io" => Some((parameters.get("url"), parameters.get("clientIdList"))),
        _ => None,
    }
}

/// Whether two issuers are the same one to AWS: it ignores the scheme and a slash at the end.
pub fn same_issuer(one: &str, other: &str) -> bool {
    issuer::bare(one).eq_ignore_ascii_case(issuer::bare(other))
}

/// IAM takes a single value wherever it takes a list.
fn one_or_many(node: Node<'_>) -> Vec<Node<'_>> {
    match node.value() {
        None | Some(crate::value::Value::Null) => Vec::new(),
        Some(crate::value::Value::Seq(_)) => node.peek_items().collect(),
        Some(_) => vec![node],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use bumpalo::Bump;

    use super::{policy, role_name, same_issuer, statements, subjects};
    use crate::node::{Node, Origin, Session};
    use crate::value::Value;

    fn object<'a>(json: &'a str, bump: &'a Bump) -> Node<'a> {
        Session::new(bump).root(Value::from_json(json.as_bytes(), bump).unwrap(), Origin::Aside)
    }

    #[test]
    fn reads_statements_wherever_a_role_holds_them() {
        let text = r#"{"Statement": {"Effect": "Allow", "Action": "sts:Assume*", "Principal": {"Federated": "arn:aws:iam::1:oidc-provider/a.example/x"},
            "Condition": {"ForAnyValue:StringLikeIfExists": {"a.example/x:sub": ["system:serviceaccount:a:b"]}, "StringNotEquals": {"a.example/x:sub": "c"}}}}"#;
        for (version, fields) in [
            ("iam.services.k8s.aws/v1alpha1", "assumeRolePolicyDocument"),
            ("iam.aws.upbound.io/v1beta1", "assumeRolePolicy"),
            ("iam.aws.crossplane.io/v1beta1", "assumeRolePolicyDocument"),
        ] {
            let bump = Bump::new();
            let inner = serde_json::json!({ fields: text });
            let spec = if version.contains("services") { inner } else { serde_json::json!({ "forProvider": inner }) };
            let json = serde_json::json!({ "apiVersion": version, "kind": "Role", "metadata": { "name": "r" }, "spec": spec }).to_string();
            let role = object(&json, &bump);
            let policy = policy(role).unwrap();
            let found = statements(policy);
            assert_eq!(found.len(), 1, "{version}");
            assert_eq!(found[0].issuers[0].1, "a.example/x");
            assert!(found[0].allows("sts:AssumeRoleWithWebIdentity") && !found[0].allows("sts:TagSession"));
            assert_eq!(found[0].tests_of("sub").len(), 1, "the negation does not count");
            assert_eq!(subjects(policy), ["system:serviceaccount:a:b"]);
            assert_eq!(role_name(role), Some("r"));
        }
    }

    #[test]
    fn every_test_of_the_subject_has_to_let_it_in() {
        for (conditions, want) in [
            (r#"{"StringEquals": {"a.example:sub": ["x", "system:serviceaccount:a:b"]}}"#, Some(true)),
            (r#"{"StringLike": {"a.example:sub": "system:serviceaccount:a:?"}}"#, Some(true)),
            (r#"{"StringEqualsIgnoreCase": {"a.example:SUB": "system:serviceaccount:A:B"}}"#, Some(true)),
            (r#"{"StringEquals": {"a.example:sub": "system:serviceaccount:a:*"}}"#, Some(false)),
            (r#"{"StringEquals": {"a.example:sub": "system:serviceaccount:a:b"}, "StringLike": {"a.example:sub": "*:c"}}"#, Some(false)),
            (r#"{"StringEquals": {"a.example:sub": ["x", "${SUBJECT}"]}}"#, None),
            (r#"{"StringNotEquals": {"a.example:sub": "system:serviceaccount:a:b"}}"#, None),
            ("{}", None),
        ] {
            let bump = Bump::new();
            let json = format!(r#"{{"Statement": {{"Effect": "Allow", "Condition": {conditions}}}}}"#);
            let found = statements(object(&json, &bump));
            assert_eq!(found[0].admits("system:serviceaccount:a:b"), want, "{conditions}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_lacking() {
        for (action, want) in [
            (r#""sts:AssumeRole""#, true),
            (r#"["sts:TagSession", "sts:AssumeRole"]"#, true),
            (r#""sts:*""#, false),
            (r#"["sts:AssumeRole", "${ACTION}"]"#, false),
            ("[]", false),
            ("null", false),
        ] {
            let bump = Bump::new();
            let json = format!(r#"{{"Statement": {{"Effect": "Allow", "Action": {action}}}}}"#);
            let found = statements(object(&json, &bump));
            assert_eq!(found[0].lacks("sts:AssumeRoleWithWebIdentity"), want, "{action}");
        }
    }

    #[test]
    fn other_roles_have_no_trust_policy() {
        let bump = Bump::new();
        assert!(policy(object(r#"{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}"#, &bump)).is_none());
        assert!(same_issuer("https://A.example/x/", "a.example/x"));
    }
}
