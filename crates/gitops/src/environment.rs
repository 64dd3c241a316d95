//! Argo CD's build environment, and `$NAME` in the fields that it is put into.

use std::collections::BTreeSet;

/// The variables of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    variables: Vec<(&'static str, String)>,
}

/// The variable with the name of an Application.
pub const NAME: &str = "ARGOCD_APP_NAME";
/// The variable with the namespace that it deploys to.
pub const NAMESPACE: &str = "ARGOCD_APP_NAMESPACE";
/// The variable with the folder of the source.
pub const SOURCE_PATH: &str = "ARGOCD_APP_SOURCE_PATH";

/// The names of the variables that there are.
pub(crate) const NAMES: [&str; 9] = [
    NAME,
    NAMESPACE,
    "ARGOCD_APP_PROJECT_NAME",
    "ARGOCD_APP_REVISION",
    "ARGOCD_APP_REVISION_SHORT",
    "ARGOCD_APP_REVISION_SHORT_8",
    "ARGOCD_APP_SOURCE_REPO_URL",
    SOURCE_PATH,
    "ARGOCD_APP_SOURCE_TARGET_REVISION",
];

/// What the variables are made of.
pub(crate) struct Facts<'a> {
    pub(crate) application: &'a str,
    /// Of the destination.
    pub(crate) namespace: &'a str,
    pub(crate) project: &'a str,
    pub(crate) commit: &'a str,
    pub(crate) repository: &'a str,
    pub(crate) path: &'a str,
    pub(crate) target_revision: &'a str,
}

impl Environment {
    pub(crate) fn new(facts: &Facts<'_>) -> Self {
        let short = |length| facts.commit.get(..length).unwrap_or(facts.commit);
        let values = [
            facts.application,
            facts.namespace,
            facts.project,
            facts.commit,
            short(7),
            short(8),
            facts.repository,
            facts.path,
            facts.target_revision,
        ];
        Environment { variables: NAMES.into_iter().zip(values.map(str::to_owned)).collect() }
    }

    /// The variables, by name.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// A text with its variables put in: one that there is not leaves nothing, and `$$` is `$`.
    #[must_use]
    pub(crate) fn expand(&self, text: &str) -> String {
        expand(text, |name| match name {
            "$" => "$",
            name => self.variables().find(|(other, _)| *other == name).map_or("", |(_, value)| value),
        })
    }
}

/// The names in a text that are no variables, so that nothing is left of them.
#[must_use]
pub(crate) fn unknown(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    expand(text, |name| {
        if name != "$" && !NAMES.contains(&name) {
            names.insert(name.to_owned());
        }
        ""
    });
    names
}

/// Go's `os.Expand`: a text with its variables put in as `value` has them. The `$` in `$$` is one of them.
pub fn expand<'v>(text: &str, mut value: impl FnMut(&str) -> &'v str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if after.is_empty() {
            out.push('$');
            return out;
        }
        let (name, length) = name(after);
        match name {
            Some(name) => out.push_str(value(name)),
            // Not a name, and nothing wrong either: the `$` stays. What is wrong goes.
            None if length == 0 => out.push('$'),
            None => {}
        }
        rest = after.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The name at the beginning of a text, and how much of the text that is.
fn name(text: &str) -> (Option<&str>, usize) {
    let is_special = |byte: u8| b"*#$@!?-".contains(&byte) || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    match bytes {
        [b'{', special, b'}', ..] if is_special(*special) => (text.get(1..2), 3),
        [b'{', ..] => match text.find('}') {
            Some(1) => (None, 2),
            Some(end) => (text.get(1..end), end + 1),
            None => (None, 1),
        },
        [special, ..] if is_special(*special) => (text.get(..1), 1),
        _ => {
            let length = bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            (text.get(..length).filter(|name| !name.is_empty()), length)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        Environment::new(&Facts {
            application: "web",
            namespace: "shop",
            project: "default",
            commit: "0123456789abcdef0123456789abcdef01234567",
            repository: "https://git.example/team/repo",
            path: "apps/web",
            target_revision: "HEAD",
        })
    }

    #[test]
    fn variables_are_put_in() {
        let environment = environment();
        for (text, expected) in [
            ("plain", "plain"),
            ("$ARGOCD_APP_NAME-${ARGOCD_APP_NAMESPACE}", "web-shop"),
            ("$ARGOCD_APP_PROJECT_NAME/$ARGOCD_APP_SOURCE_PATH/$ARGOCD_APP_SOURCE_TARGET_REVISION", "default/apps/web/HEAD"),
            ("$ARGOCD_APP_REVISION", "0123456789abcdef0123456789abcdef01234567"),
            ("$ARGOCD_APP_REVISION_SHORT $ARGOCD_APP_REVISION_SHORT_8", "0123456 01234567"),
            ("$ARGOCD_APP_SOURCE_REPO_URL", "https://git.example/team/repo"),
            // A variable that there is not leaves nothing: this is a longer name.
            ("$ARGOCD_APP_NAMEX", ""),
            ("a$HOME/b", "a/b"),
            ("cost: $$5", "cost: $5"),
            ("$", "$"),
            ("a$ b", "a$ b"),
            ("$1 ${2} $@", "  "),
            ("${}x", "x"),
            ("${open", "open"),
            ("${a b}c", "c"),
            ("$é", "$é"),
        ] {
            assert_eq!(environment.expand(text), expected, "{text}");
        }
    }

    #[test]
    fn unknown_names_are_told() {
        let names = |text: &str| unknown(text).into_iter().collect::<Vec<_>>();
        assert_eq!(names("$HOME/${X}/$ARGOCD_APP_NAME/$$"), ["HOME", "X"]);
        assert_eq!(names("$ARGOCD_ENV_X"), ["ARGOCD_ENV_X"]);
    }
}
