//! What the API server's type checker would refuse, as far as it can be told without types: names, fields of the request, conditions
//! that are no `bool`.

use std::collections::BTreeSet;

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use serde::Serialize;

use crate::library::{self, Names};
use crate::program::{MAX_DEPTH, Trouble};

/// Which variables an expression mentions.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Uses {
    /// Whether as a whole.
    pub(crate) object: bool,
    /// What of the object is mentioned otherwise: paths of fields with dots between them.
    pub(crate) object_paths: BTreeSet<String>,
    pub(crate) old_object: bool,
    pub(crate) request: bool,
    pub(crate) namespace_object: bool,
}

/// The fields that Kubernetes declares of `request`: not `uid`, `object` and `oldObject`.
const REQUEST: [&str; 12] = [
    "kind",
    "resource",
    "subResource",
    "requestKind",
    "requestResource",
    "requestSubResource",
    "name",
    "namespace",
    "operation",
    "userInfo",
    "dryRun",
    "options",
];
const OF_KIND: [&str; 3] = ["group", "version", "kind"];
const OF_RESOURCE: [&str; 3] = ["group", "version", "resource"];
const OF_USER: [&str; 4] = ["username", "uid", "groups", "extra"];
/// What of it is text.
const TEXTS: [&str; 7] = [
    "request.name",
    "request.namespace",
    "request.operation",
    "request.subResource",
    "request.requestSubResource",
    "request.userInfo.username",
    "request.userInfo.uid",
];

const NUMBERS: [&str; 3] = ["int", "uint", "double"];

/// Checks a condition with its macros expanded.
///
/// # Errors
/// The first thing that the API server would refuse.
pub(crate) fn check(expr: &IdedExpr) -> Result<Uses, Trouble> {
    let mut checker = Checker { uses: Uses::default(), scope: Vec::new(), formats: 0, names: library::names() };
    checker.visit(expr, 0)?;
    match not_bool(&expr.expr) {
        Some(kind) => Err(Trouble::Wrong(format!("a condition must be a `bool`, not `{kind}`"), None)),
        None => Ok(checker.uses),
    }
}

struct Checker<'e> {
    uses: Uses,
    /// Variables of comprehensions, the innermost last.
    scope: Vec<&'e str>,
    /// How many calls of `format` are around, in which literals may be of several types.
    formats: usize,
    names: &'static Names,
}

impl<'e> Checker<'e> {
    fn visit(&mut self, expr: &'e IdedExpr, depth: usize) -> Result<(), Trouble> {
        if depth > 4 * MAX_DEPTH {
            return Err(Trouble::Deep);
        }
        let next = depth + 1;
        match &expr.expr {
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => {
                if is_type(&expr.expr) {
                    return Ok(());
                }
                self.field(&select.operand.expr, &select.field)?;
                if let Some(path) = self.object_path(&expr.expr) {
                    self.uses.object_paths.insert(path);
                    return Ok(());
                }
                self.visit(&select.operand, next)
            }
            Expr::Call(call) => {
                let name = &call.func_name;
                if let (operators::EQUALS | operators::NOT_EQUALS, [one, other]) = (name.as_str(), call.args.as_slice())
                    && let (Some(one), Some(other)) = (self.kind(&one.expr), self.kind(&other.expr))
                    && one != other
                    && !(NUMBERS.contains(&one) && NUMBERS.contains(&other))
                {
                    return Err(Trouble::Wrong(format!("a `{one}` cannot be compared with a `{other}`"), None));
                }
                let qualified = call.target.as_ref().and_then(|target| path(&target.expr)).map(|path| format!("{path}.{name}"));
                let count = call.args.len();
                match (&call.target, qualified.as_deref().and_then(|name| self.names.global(name))) {
                    (Some(_), Some(counts)) => self.count(name, counts, count)?,
                    (Some(target), None) => {
                        self.visit(target, next)?;
                        match self.names.member(name) {
                            Some(counts) => self.count(name, counts, count)?,
                            None => return Err(Trouble::Wrong(format!("there is no function `{name}` on a value"), Some(name.clone()))),
                        }
                    }
                    (None, _) if name.starts_with(|first: char| first.is_ascii_alphabetic()) => match self.names.global(name) {
                        Some(counts) => self.count(name, counts, count)?,
                        None => return Err(Trouble::Wrong(format!("there is no function `{name}`"), Some(name.clone()))),
                    },
                    (None, _) => {}
                }
                let is_format = usize::from(name == "format");
                self.formats += is_format;
                call.args.iter().try_for_each(|arg| self.visit(arg, next))?;
                self.formats -= is_format;
                Ok(())
            }
            Expr::List(list) => {
                self.same_kind(list.elements.iter())?;
                list.elements.iter().try_for_each(|element| self.visit(element, next))
            }
            Expr::Map(map) => {
                let parts =
                    || map.entries.iter().filter_map(|entry| if let EntryExpr::MapEntry(entry) = &entry.expr { Some(entry) } else { None });
                self.same_kind(parts().map(|entry| &entry.key))?;
                self.same_kind(parts().map(|entry| &entry.value))?;
                parts().try_for_each(|entry| self.visit(&entry.key, next).and_then(|()| self.visit(&entry.value, next)))
            }
            Expr::Struct(literal) => {
                Err(Trouble::Wrong(format!("there is no type `{}` to make a value of", literal.type_name), Some(literal.type_name.clone())))
            }
            Expr::Comprehension(fold) => {
                self.visit(&fold.iter_range, next)?;
                self.visit(&fold.accu_init, next)?;
                let outside = self.scope.len();
                self.scope.extend([fold.iter_var.as_str(), fold.accu_var.as_str()]);
                let inside = [&fold.loop_cond, &fold.loop_step, &fold.result].into_iter().try_for_each(|part| self.visit(part, next));
                self.scope.truncate(outside);
                inside
            }
            Expr::Literal(_) | Expr::Unspecified => Ok(()),
        }
    }

    /// Whether a name is the object, and not a variable of a comprehension.
    fn is_object(&self, name: &str) -> bool {
        name.strip_prefix('.').unwrap_or(name) == "object" && !self.scope.contains(&name)
    }

    /// The path of a field of the object, if an expression is one. A name with a dot in it (`` labels.`example.com/team` ``) ends it: what is
    /// above is mentioned then.
    fn object_path(&self, expr: &Expr) -> Option<String> {
        let mut fields = Vec::new();
        let mut expr = expr;
        while let Expr::Select(select) = expr {
            fields.push(select.field.as_str());
            expr = &select.operand.expr;
        }
        let Expr::Ident(name) = expr else { return None };
        fields.reverse();
        if !self.is_object(name) || fields.first()?.contains('.') {
            return None;
        }
        let whole = fields.iter().position(|field| field.contains('.')).unwrap_or(fields.len());
        Some(fields.get(..whole)?.join("."))
    }

    /// The type of an expression, where it is plain.
    fn kind(&self, expr: &Expr) -> Option<&'static str> {
        let is_request = || !self.scope.contains(&"request");
        match path(expr).filter(|_| is_request()).as_deref() {
            Some(path) if TEXTS.contains(&path) => Some("string"),
            Some("request.dryRun") => Some("bool"),
            _ => literal(expr),
        }
    }

    /// Literals of one list must be of one type (Kubernetes turns cel-go's check on), except what is formatted.
    fn same_kind(&self, elements: impl Iterator<Item = &'e IdedExpr>) -> Result<(), Trouble> {
        let mut first = None;
        for kind in elements.filter(|_| self.formats == 0).filter_map(|element| literal(&element.expr)) {
            match first {
                None => first = Some(kind),
                Some(first) if first != kind => {
                    return Err(Trouble::Wrong(
                        format!("a literal mixes `{first}` and `{kind}`; write `dyn(…)` around the elements"),
                        None,
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn variable(&mut self, name: &'e str) -> Result<(), Trouble> {
        if self.scope.contains(&name) {
            return Ok(());
        }
        match name.strip_prefix('.').unwrap_or(name) {
            "object" => self.uses.object = true,
            "oldObject" => self.uses.old_object = true,
            "request" => self.uses.request = true,
            "namespaceObject" => self.uses.namespace_object = true,
            // Known in a cluster, so an error only when it is evaluated.
            "authorizer" => {}
            name if library::TYPES.contains(&name) => {}
            name => return Err(Trouble::Wrong(format!("undeclared reference to `{name}`"), Some(name.to_owned()))),
        }
        Ok(())
    }

    /// Whether Kubernetes declares `field` of `operand`, if that is the request or a part of it.
    fn field(&self, operand: &Expr, field: &str) -> Result<(), Trouble> {
        let Some(path) = path(operand).filter(|_| !self.scope.contains(&"request")) else { return Ok(()) };
        let fields: &[&str] = match path.as_str() {
            "request" => &REQUEST,
            "request.kind" | "request.requestKind" => &OF_KIND,
            "request.resource" | "request.requestResource" => &OF_RESOURCE,
            "request.userInfo" => &OF_USER,
            path if TEXTS.contains(&path) => &[],
            _ => return Ok(()),
        };
        if fields.contains(&field) {
            Ok(())
        } else {
            Err(Trouble::Wrong(format!("`{path}` has no field `{field}`"), Some(field.to_owned())))
        }
    }

    fn count(&self, name: &str, counts: &[usize], count: usize) -> Result<(), Trouble> {
        if counts.contains(&count) {
            return Ok(());
        }
        let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
        Err(Trouble::Wrong(format!("`{name}` takes {} arguments, not {count}", counts.join(" or ")), Some(name.to_owned())))
    }
}

/// `a.b.c`, if an expression is such a name. Long ones are none that we know.
fn path(expr: &Expr) -> Option<String> {
    let mut parts = Vec::new();
    let mut expr = expr;
    loop {
        match expr {
            Expr::Ident(name) => {
                parts.push(name.as_str());
                parts.reverse();
                return Some(parts.join("."));
            }
            Expr::Select(select) if !select.test && parts.len() < 3 => {
                parts.push(&select.field);
                expr = &select.operand.expr;
            }
            _ => return None,
        }
    }
}

fn is_type(expr: &Expr) -> bool {
    path(expr).is_some_and(|path| library::TYPES.contains(&path.as_str()))
}

fn literal(expr: &Expr) -> Option<&'static str> {
    let Expr::Literal(value) = expr else { return None };
    Some(match value {
        LiteralValue::Boolean(_) => "bool",
        LiteralValue::Bytes(_) => "bytes",
        LiteralValue::Double(_) => "double",
        LiteralValue::Int(_) => "int",
        LiteralValue::Null => "null",
        LiteralValue::String(_) => "string",
        LiteralValue::UInt(_) => "uint",
    })
}

/// The type of what is certainly no `bool` to the API server. A field of an object is `dyn` and so none.
fn not_bool(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::Literal(_) => literal(expr).filter(|kind| *kind != "bool"),
        Expr::List(_) => Some("list"),
        Expr::Map(_) => Some("map"),
        Expr::Ident(name) if matches!(name.as_str(), "object" | "oldObject") => Some("dyn"),
        Expr::Select(select) if !select.test => {
            let mut root = &select.operand.expr;
            while let Expr::Select(select) = root {
                root = &select.operand.expr;
            }
            matches!(root, Expr::Ident(name) if matches!(name.as_str(), "object" | "oldObject")).then_some("dyn")
        }
        Expr::Call(call) if call.target.is_none() => match call.func_name.as_str() {
            // Numbers, times, texts and lists can be added.
            operators::ADD => Some("sum"),
            operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO | operators::NEGATE => Some("number"),
            "size" | "int" => Some("int"),
            "uint" => Some("uint"),
            "double" => Some("double"),
            "string" => Some("string"),
            "bytes" => Some("bytes"),
            "type" => Some("type"),
            "dyn" => Some("dyn"),
            _ => None,
        },
        _ => None,
    }
}
