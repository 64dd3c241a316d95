//! What expressions are known to be: variables, the parameters of nested templates, and texts put together from them.
//!
//! A parameter of the outermost template is not known, whatever its default: who deploys gives another. One of a nested template with
//! a scope of its own is: nobody but the template around it can give it. What is declared as secure is never read.

use std::cell::Cell;
use std::collections::HashMap;

use fedward_manifest::Node;

use super::expression::{Expression, is_expression, unescaped};
use crate::lift::get_ignoring_case;
use crate::load::text;

/// Where variables and parameters are looked up: a template, by number.
pub(super) type Number = usize;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Written out.
    Known(String),
    /// The value of an expression, which is not known. The same text stands for the same value in one document.
    Unknown(String),
}

/// What a value is known to be.
pub(super) enum Resolved<'d> {
    /// A value that is written somewhere, and where the expressions in it are looked up.
    Node(Node<'d>, Number),
    /// A text that was put together.
    Text(Vec<Piece>),
}

/// The templates of a document.
#[derive(Default)]
pub(super) struct Scopes<'d> {
    all: Vec<Scope<'d>>,
    /// What was spent on finding values, so that no document makes it long.
    spent: Cell<usize>,
}

#[derive(Default)]
struct Scope<'d> {
    variables: HashMap<String, Node<'d>>,
    /// Parameters whose value is known, with the scope that it was written in.
    parameters: HashMap<String, (Node<'d>, Number)>,
}

/// Steps, and bytes that are copied to another place, of all expressions of a document.
const BUDGET: usize = 4 << 20;
/// How many variables and parameters may lead to a value.
const MAX_DEPTH: u32 = 24;
/// A text that is put together is no longer than this.
const MAX_TEXT: usize = 4096;

impl<'d> Scopes<'d> {
    /// Adds the outermost template.
    pub(super) fn root(&mut self, template: Node<'d>) -> Number {
        self.add(Scope { variables: variables(template), parameters: HashMap::new() })
    }

    /// Adds a nested template that is evaluated by itself: `given` are the parameters of its deployment, written in `outer`.
    pub(super) fn nested(&mut self, template: Node<'d>, given: Option<Node<'d>>, outer: Number) -> Number {
        let own = self.all.len();
        let given: HashMap<String, Node<'d>> = entries(given).collect();
        let parameters = entries(template.get("parameters")).filter_map(|(name, declared)| {
            if text(declared, "type").is_some_and(is_secure) {
                return None;
            }
            let value = match given.get(&name) {
                Some(given) => (given.get("value")?, outer),
                None => (declared.get("defaultValue")?, own),
            };
            Some((name, value))
        });
        self.add(Scope { variables: variables(template), parameters: parameters.collect() })
    }

    fn add(&mut self, scope: Scope<'d>) -> Number {
        self.all.push(scope);
        self.all.len() - 1
    }

    /// What a value of the template is known to be.
    pub(super) fn resolve(&self, node: Node<'d>, scope: Number) -> Resolved<'d> {
        self.follow(node, scope, MAX_DEPTH)
    }

    /// A value as a text, in parts.
    pub(super) fn pieces(&self, node: Node<'d>, scope: Number) -> Vec<Piece> {
        match self.resolve(node, scope) {
            Resolved::Text(pieces) => pieces,
            Resolved::Node(node, _) => node.as_str().map(|text| vec![Piece::Known(unescaped(text).to_owned())]).unwrap_or_default(),
        }
    }

    /// The parts of an expression's text.
    pub(super) fn pieces_of(&self, expression: &Expression, scope: Number) -> Vec<Piece> {
        let resolved = self.evaluate(expression, scope, MAX_DEPTH);
        self.as_pieces(&resolved, expression, scope)
    }

    /// Whether so much may still be spent.
    pub(super) fn spend(&self, cost: usize) -> bool {
        let spent = self.spent.get().saturating_add(cost);
        self.spent.set(spent);
        spent <= BUDGET
    }

    fn follow(&self, node: Node<'d>, scope: Number, depth: u32) -> Resolved<'d> {
        let Some(text) = node.as_str().filter(|text| is_expression(text)) else { return Resolved::Node(node, scope) };
        // What is read again and again, because others lead to it, costs as much again.
        let is_paid = depth == MAX_DEPTH || self.spend(text.len());
        match Expression::parse(text) {
            Some(expression) if is_paid => self.evaluate(&expression, scope, depth),
            // It is an expression all the same: its value is not its text.
            _ => Resolved::Text(vec![Piece::Unknown(format!("{scope}:{}", text.to_ascii_lowercase()))]),
        }
    }

    fn evaluate(&self, expression: &Expression, scope: Number, depth: u32) -> Resolved<'d> {
        let unknown = || Resolved::Text(vec![unknown(expression, scope)]);
        let Some(depth) = depth.checked_sub(1).filter(|_| self.spend(1)) else { return unknown() };
        match expression {
            Expression::Text(text) => Resolved::Text(vec![Piece::Known(text.clone())]),
            Expression::Number(number) => Resolved::Text(vec![Piece::Known(number.to_string())]),
            Expression::Access(of, key) => match self.evaluate(of, scope, depth) {
                Resolved::Node(node, found_in) => match child(node, key) {
                    Some(child) => self.follow(child, found_in, depth),
                    None => unknown(),
                },
                Resolved::Text(_) => unknown(),
            },
            Expression::Call(name, arguments) => {
                let found = match (name.as_str(), arguments.as_slice()) {
                    ("variables", [Expression::Text(name)]) => {
                        self.scope(scope).and_then(|here| here.variables.get(&name.to_ascii_lowercase())).map(|node| (*node, scope))
                    }
                    ("parameters", [Expression::Text(name)]) => {
                        self.scope(scope).and_then(|here| here.parameters.get(&name.to_ascii_lowercase())).copied()
                    }
                    ("concat", parts) => return self.join(parts.iter(), expression, scope, depth),
                    ("format", [Expression::Text(pattern), values @ ..]) => {
                        let parts = placeholders(pattern, values);
                        return parts.map_or_else(unknown, |parts| self.join(parts.iter(), expression, scope, depth));
                    }
                    _ => None,
                };
                found.map_or_else(unknown, |(node, found_in)| self.follow(node, found_in, depth))
            }
        }
    }

    fn join<'e>(&self, parts: impl Iterator<Item = &'e Expression>, whole: &Expression, scope: Number, depth: u32) -> Resolved<'d> {
        let mut found: Vec<Piece> = Vec::new();
        let mut length = 0;
        for part in parts {
            let resolved = self.evaluate(part, scope, depth);
            let before = length;
            for piece in self.as_pieces(&resolved, part, scope) {
                let (Piece::Known(text) | Piece::Unknown(text)) = &piece;
                length += text.len();
                match (found.last_mut(), piece) {
                    (Some(Piece::Known(last)), Piece::Known(text)) => last.push_str(&text),
                    (_, piece) => found.push(piece),
                }
            }
            // A list that is put together, for one, is no text.
            if matches!(resolved, Resolved::Node(node, _) if node.as_str().is_none()) || length > MAX_TEXT || !self.spend(length - before) {
                return Resolved::Text(vec![unknown(whole, scope)]);
            }
        }
        Resolved::Text(found)
    }

    fn as_pieces(&self, resolved: &Resolved<'d>, expression: &Expression, scope: Number) -> Vec<Piece> {
        match resolved {
            Resolved::Text(pieces) => pieces.clone(),
            Resolved::Node(node, _) => match node.as_str() {
                Some(text) => vec![Piece::Known(unescaped(text).to_owned())],
                None => vec![unknown(expression, scope)],
            },
        }
    }

    fn scope(&self, number: Number) -> Option<&Scope<'d>> {
        self.all.get(number)
    }
}

/// A value that is not known. Azure compares names without regard to letter case.
fn unknown(expression: &Expression, scope: Number) -> Piece {
    Piece::Unknown(format!("{scope}:{}", expression.to_string().to_ascii_lowercase()))
}

fn is_secure(kind: &str) -> bool {
    kind.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("secure"))
}

fn variables(template: Node<'_>) -> HashMap<String, Node<'_>> {
    entries(template.get("variables")).collect()
}

fn entries<'d>(map: Option<Node<'d>>) -> impl Iterator<Item = (String, Node<'d>)> {
    map.into_iter().flat_map(Node::entries).map(|entry| (entry.key.to_ascii_lowercase(), entry.value))
}

fn child<'d>(node: Node<'d>, key: &Expression) -> Option<Node<'d>> {
    match key {
        Expression::Text(name) => get_ignoring_case(node, name),
        Expression::Number(index) => node.index(usize::try_from(*index).ok()?),
        _ => None,
    }
}

/// The texts and values that a pattern of `format` puts one after the other; `None` for what is not plain `{0}`.
fn placeholders(pattern: &str, values: &[Expression]) -> Option<Vec<Expression>> {
    let mut found = Vec::new();
    let mut text = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at_checked(at)?;
        text.push_str(before);
        if let Some(after) = after.strip_prefix("{{").or_else(|| after.strip_prefix("}}")) {
            text.push_str(after_brace(rest, at)?);
            rest = after;
            continue;
        }
        let (number, after) = after.strip_prefix('{')?.split_once('}')?;
        found.push(Expression::Text(std::mem::take(&mut text)));
        found.push(values.get(number.parse::<usize>().ok()?)?.clone());
        rest = after;
    }
    text.push_str(rest);
    found.push(Expression::Text(text));
    Some(found)
}

/// The brace at a place.
fn after_brace(text: &str, at: usize) -> Option<&str> {
    text.get(at..at + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use std::sync::Arc;

    use fedward_manifest::{Limits, Node, Source, parse, split};

    use super::{Number, Piece, Scopes};

    /// The parts of an expression in a template with these parameters, variables and values that are given.
    fn pieces(value: &str, nested: bool) -> Vec<Piece> {
        let template = serde_json::json!({
            "parameters": { "name": { "defaultValue": "own" }, "Given": {}, "pin": { "type": "secureString", "defaultValue": "4711" } },
            "variables": {
                "plain": "shop", "again": "[variables('PLAIN')]", "all": { "list": ["a", { "b": "[parameters('name')]" }] },
                "safe": "[parameters('cfg').?x]", "self": "[variables('self')]", "escaped": "[[x]", "grown": "[concat(variables('grown'), variables('grown'))]",
            },
            "given": { "given": { "value": "[concat('g', variables('plain'))]" } },
            "value": value,
        });
        in_template(&template, |root, scopes, mut scope| {
            if nested {
                scope = scopes.nested(root, root.get("given"), scope);
            }
            scopes.pieces(root.get("value").unwrap(), scope)
        })
    }

    fn in_template<T>(template: &serde_json::Value, ask: impl for<'d> FnOnce(Node<'d>, &mut Scopes<'d>, Number) -> T) -> T {
        let source = Arc::new(Source::from_text("a.json", template.to_string()).unwrap());
        let limits = Limits::default();
        let document = parse(&source, split(&source, &limits).chunks[0], &limits).document.unwrap();
        let (root, mut scopes) = (document.root(), Scopes::default());
        let scope = scopes.root(root);
        ask(root, &mut scopes, scope)
    }

    fn known(text: &str) -> Vec<Piece> {
        vec![Piece::Known(text.to_owned())]
    }

    fn not_known(text: &str) -> Vec<Piece> {
        vec![Piece::Unknown(text.to_owned())]
    }

    #[test]
    fn variables_are_known_and_parameters_of_the_outermost_template_are_not() {
        for (value, want) in [
            ("shop", known("shop")),
            ("[[shop]", known("[shop]")),
            ("['shop']", known("shop")),
            ("[variables('again')]", known("shop")),
            ("[variables('all').list[0]]", known("a")),
            ("[variables('escaped')]", known("[x]")),
            ("[format('{0}-{1}{{}}', variables('plain'), 'x')]", known("shop-x{}")),
            ("[variables('none')]", not_known("0:variables('none')")),
            ("[parameters('Name')]", not_known("0:parameters('name')")),
            ("[variables('all').list[1].b]", not_known("0:parameters('name')")),
            ("[format('{0:x}', variables('plain'))]", not_known("0:format('{0:x}',variables('plain'))")),
            ("[concat(variables('all').list, 'x')]", not_known("0:concat(variables('all')['list'],'x')")),
        ] {
            assert_eq!(pieces(value, false), want, "{value}");
        }
        let parts = [Piece::Known("x/".to_owned()), Piece::Unknown("0:parameters('a')".to_owned()), Piece::Known("/y".to_owned())];
        assert_eq!(pieces("[concat('x', '/', parameters('a'), '/y')]", false), parts);
    }

    #[test]
    fn parameters_of_nested_templates_are_known() {
        for (value, want) in [
            ("[parameters('given')]", known("gshop")),
            ("[parameters('name')]", known("own")),
            ("[parameters('pin')]", not_known("1:parameters('pin')")),
            ("[parameters('other')]", not_known("1:parameters('other')")),
        ] {
            assert_eq!(pieces(value, true), want, "{value}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_known() {
        let deep = format!("[{}'a'{}]", "f(".repeat(41), ")".repeat(41));
        let long = format!("[concat('{}')]", "a".repeat(30_000));
        for text in ["[parameters('Cfg').?x]", "[?'x']", "[variables('all')[?'list']]", "[a('b'", &deep, &long] {
            let want = if text.ends_with(']') { not_known(&format!("0:{}", text.to_ascii_lowercase())) } else { known(text) };
            assert_eq!(pieces(text, false), want, "{text}");
        }
        assert_eq!(pieces("[variables('safe')]", false), not_known("0:[parameters('cfg').?x]"));
        let parts = [Piece::Known("x/".to_owned()), Piece::Unknown("0:[parameters('cfg').?x]".to_owned())];
        assert_eq!(pieces("[concat('x/', variables('safe'))]", false), parts);
    }

    #[test]
    fn what_costs_too_much_is_not_known() {
        let template = serde_json::json!({ "variables": { "a": "[concat('b')]" }, "value": "[variables('a')]" });
        in_template(&template, |root, scopes, scope| {
            let value = root.get("value").unwrap();
            assert_eq!(scopes.pieces(value, scope), known("b"));
            scopes.spent.set(super::BUDGET - 4);
            assert_eq!(scopes.pieces(value, scope), not_known("0:[concat('b')]"));
            scopes.spent.set(super::BUDGET);
            assert_eq!(scopes.pieces(value, scope), not_known("0:variables('a')"));
        });
    }

    #[test]
    fn each_part_is_paid_once() {
        let parts = vec!["'0123456789'"; 100].join(",");
        let template = serde_json::json!({ "value": format!("[concat({parts})]") });
        in_template(&template, |root, scopes, scope| {
            assert_eq!(scopes.pieces(root.get("value").unwrap(), scope), known(&"0123456789".repeat(100)));
            // The text once, and a step for each part and the whole.
            assert_eq!(scopes.spent.get(), 1000 + 101);
        });
    }

    #[test]
    fn what_leads_nowhere_ends() {
        assert!(matches!(pieces("[variables('self')]", false).as_slice(), [Piece::Unknown(_)]));
        assert!(matches!(pieces("[variables('grown')]", false).first(), Some(Piece::Unknown(_))));
    }
}
