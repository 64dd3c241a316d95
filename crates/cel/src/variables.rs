//! Whoever answers for variables and for paths of their fields.

use cel::common::types::CelBool;
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;

use crate::paths::{NAMES, Path};
use crate::unknown;
use crate::values::Tree;

/// The variables that are known.
pub(crate) struct Variables<'a>([Option<Tree<'a>>; 4]);

impl<'a> Variables<'a> {
    /// Reads what is known from JSON, in the order of [`NAMES`].
    ///
    /// # Errors
    /// JSON that cannot be read. Why may repeat a value of the object, and is not said.
    pub(crate) fn read(told: [Option<&'a [u8]>; 4]) -> Result<Self, String> {
        let mut trees = [const { None }; 4];
        for (tree, json) in trees.iter_mut().zip(told) {
            let Some(json) = json else { continue };
            let read: Tree<'a> = serde_json::from_slice(json)
                .map_err(|_| "the variables cannot be read: not usable JSON, or nested too deeply".to_owned())?;
            *tree = Some(read);
        }
        Ok(Self(trees))
    }

    fn variable(&self, name: &str) -> Option<&Tree<'a>> {
        let Some(index) = NAMES.iter().position(|variable| *variable == name) else {
            if name == "authorizer" {
                unknown::variable(name);
            }
            return None;
        };
        let tree = self.0.get(index)?.as_ref();
        if tree.is_none() {
            unknown::variable(name);
        }
        tree
    }

    /// Where names lead to.
    fn walk<'p>(&self, mut names: impl Iterator<Item = &'p str>) -> Option<&Tree<'a>> {
        let variable = self.variable(names.next()?)?;
        names.try_fold(variable, |tree, field| tree.fields()?.get(field))
    }
}

impl VariableResolver for Variables<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        match Path::read(name) {
            None => self.variable(name).map(|tree| CowVal::Borrowed(tree.value())),
            Some(Path::To(names)) => self.walk(names).map(|tree| CowVal::Borrowed(tree.value())),
            Some(Path::Test(mut names)) => {
                let field = names.next_back()?;
                let found = match self.walk(names)? {
                    Tree::Fields(fields) => fields.get(field).is_some(),
                    Tree::Items(_) => return None,
                    // What can have no fields does not have this one: cel-go's `refQualify`.
                    _ => false,
                };
                let value: &'static dyn Val = if found { &CelBool::TRUE } else { &CelBool::FALSE };
                Some(CowVal::Borrowed(value))
            }
        }
    }
}
