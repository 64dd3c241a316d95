//! The few means of Kustomize that the overlays use; anything else in them fails the test.

use std::path::Path;

use fedward_engine::{from_yaml, objects};
use serde_json::Value;

use crate::{folder, read};

/// The objects that an overlay comes to.
pub(crate) fn overlay(name: &str) -> Vec<Value> {
    let path = folder().join("overlays").join(name);
    kustomize(&path, &from_yaml(&read(&path.join("kustomization.yaml"))).unwrap())
}

/// The objects that a kustomization comes to.
pub(crate) fn kustomize(at: &Path, kustomization: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for path in kustomization["resources"].as_array().unwrap() {
        let path = at.join(path.as_str().unwrap());
        if path.is_dir() {
            found.extend(kustomize(&path, &from_yaml(&read(&path.join("kustomization.yaml"))).unwrap()));
        } else {
            found.extend(objects(&read(&path), "default").into_iter().map(|(object, _)| object));
        }
    }
    change(at, kustomization, &mut found);
    found
}

/// What a kustomization or a component does to objects: first what it includes, then its own patches.
fn change(at: &Path, kustomization: &Value, found: &mut Vec<Value>) {
    let components = kustomization["components"].as_array();
    for path in components.into_iter().flatten().map(|path| at.join(path.as_str().unwrap())) {
        let component: Value = from_yaml(&read(&path.join("kustomization.yaml"))).unwrap();
        assert!(component["kind"] == "Component" && component.get("resources").is_none(), "{}", path.display());
        change(&path, &component, found);
    }
    for (field, value) in kustomization.as_object().unwrap() {
        match field.as_str() {
            "patches" => value.as_array().unwrap().iter().for_each(|patch| apply(patch, found)),
            "nameSuffix" => found.iter_mut().for_each(|object| {
                for pointer in ["/metadata/name", "/roleRef/name"] {
                    if let Some(name) = object.pointer_mut(pointer) {
                        *name = format!("{}{}", name.as_str().unwrap(), value.as_str().unwrap()).into();
                    }
                }
            }),
            "apiVersion" | "kind" | "resources" | "components" => {}
            other => panic!("this test does not know `{other}` of Kustomize"),
        }
    }
}

fn apply(patch: &Value, objects: &mut [Value]) {
    let target = patch["target"].as_object().unwrap();
    assert!(target.keys().all(|key| ["kind", "name"].contains(&key.as_str())), "{target:?}");
    let fits = |object: &Value| {
        let name = object["metadata"]["name"].as_str().unwrap();
        object["kind"] == target["kind"]
            && target.get("name").is_none_or(|wanted| match wanted.as_str().unwrap().strip_suffix(".*") {
                Some(start) => name.starts_with(start),
                None => name == wanted,
            })
    };
    let steps: json_patch::Patch = serde_json::from_value(from_yaml(patch["patch"].as_str().unwrap()).unwrap()).unwrap();
    let mut met = 0;
    for object in objects.iter_mut().filter(|object| fits(object)) {
        json_patch::patch(object, &steps).unwrap();
        met += 1;
    }
    assert!(met > 0, "a patch meets nothing: {target:?}");
}
