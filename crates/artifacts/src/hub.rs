//! What Artifact Hub reads: `artifacthub-pkg.yml` of each policy, and `artifacthub-repo.yml`.
//!
//! Sources: `docs/metadata/artifacthub-pkg.yml` and `artifacthub-repo.yml`, `internal/pkg/metadata.go` of Artifact Hub; the annotations are
//! those that `kwctl scaffold artifacthub` writes (`policy_artifacthub.rs`).

use anyhow::Result;
use serde_json::{Value, json};

use crate::files::{Generated, MARK};
use crate::origin::{Origin, RELEASE};
use crate::package::Package;
use crate::{questions, yaml};

/// The file that describes a version of a package.
pub const PACKAGE: &str = "artifacthub-pkg.yml";
/// The file that describes a repository of packages.
pub const REPOSITORY: &str = "artifacthub-repo.yml";

/// The files of the repository: a package for each policy, the suite's at the root as well, where those look who look at one package.
///
/// # Errors
/// None in practice.
pub fn generate(packages: &[Package]) -> Result<Vec<Generated>> {
    let origin = Origin::default();
    let mut files = Vec::new();
    for package in packages {
        let text = text(package, &origin)?;
        if package.is_suite() {
            files.push(Generated { path: PACKAGE.to_owned(), text: text.clone() });
        }
        files.push(Generated { path: format!("policies/{}/{PACKAGE}", package.id()), text });
    }
    files.push(Generated { path: REPOSITORY.to_owned(), text: repository(&origin) });
    Ok(files)
}

/// A package as a file. Its readme is the `README.md` beside it.
///
/// # Errors
/// None in practice: lists of text become YAML.
pub fn text(package: &Package, origin: &Origin) -> Result<String> {
    let metadata = &package.metadata;
    let image = origin.image(package.id());
    let words = |name: &str| metadata.annotation(name).split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>();
    let value = json!({
        "version": RELEASE.0,
        "name": package.id(),
        "displayName": metadata.annotation("io.artifacthub.displayName"),
        "createdAt": RELEASE.1,
        "description": metadata.annotation("io.kubewarden.policy.description"),
        "category": "security",
        "license": metadata.annotation("io.kubewarden.policy.license"),
        "homeURL": origin.source_url,
        "containersImages": [{ "name": "policy", "image": image }],
        "keywords": words("io.artifacthub.keywords"),
        "links": [{ "name": "source", "url": origin.source_url }],
        "install": install(&image),
        "maintainers": [{ "name": origin.author_name(), "email": origin.contact }],
        "provider": { "name": "fedward" },
        "annotations": {
            "kubewarden/contextAwareResources": yaml::write(&serde_json::to_value(&metadata.context_aware_resources)?),
            "kubewarden/mutation": metadata.mutating.to_string(),
            "kubewarden/questions-ui": questions::text(package),
            "kubewarden/resources": metadata.annotation("io.artifacthub.resources"),
            "kubewarden/rules": yaml::write(&serde_json::to_value(&metadata.rules)?),
        },
    });
    Ok(format!("# {MARK} from `policies/{}`.\n{}", package.id(), yaml::write(&value)))
}

/// The repository that the packages are in. Its id is given by Artifact Hub to whoever adds it there.
pub fn repository(origin: &Origin) -> String {
    let owners: Value = json!({ "owners": [{ "name": origin.author_name(), "email": origin.contact }] });
    format!("# {MARK}. Whoever publishes adds `repositoryID`, which Artifact Hub gives them.\n{}", yaml::write(&owners))
}

fn install(image: &str) -> String {
    format!(
        "Fetch the policy with `kwctl`, write a manifest for it, and adapt that to your cluster:\n\n```sh\nkwctl pull registry://{image}\n\
         kwctl scaffold manifest --type ClusterAdmissionPolicy registry://{image}\n```\n\nThe readme has a manifest to paste and the access \
         that the policy needs.\n"
    )
}
