//! Stock set-ups of well-known operators that document wide rights: their findings are one step lower.

use fedward_kit::node::Node;
use fedward_kit::text::Glob;

/// A role and account of a well-known operator. All of it has to fit, label included.
struct Preset {
    /// Whose set-up it is, for messages.
    title: &'static str,
    /// The label's value.
    label: &'static str,
    /// The role's name; `*` stands for any text.
    role: &'static str,
    /// The service account's name; `*` stands for any text.
    account: &'static str,
}

const fn preset(title: &'static str, label: &'static str, role: &'static str, account: &'static str) -> Preset {
    Preset { title, label, role, account }
}

const PRESETS: &[Preset] = &[
    preset("Velero", "velero", "cluster-admin", "*velero*"),
    preset("Flux", "flux", "cluster-admin", "kustomize-controller"),
    preset("Flux", "flux", "cluster-admin", "helm-controller"),
    preset("Argo CD", "argocd", "cluster-admin", "*argocd-application-controller"),
    preset("Argo CD", "argocd", "*argocd-*", "*argocd-*"),
    preset("Argo Workflows", "argo-workflows", "*argo-workflows*", "*argo-workflows*"),
    preset("Flux", "flux", "crd-controller*", "*-controller"),
    preset("External Secrets", "external-secrets", "*external-secrets*", "*external-secrets*"),
    preset("cert-manager", "cert-manager", "*cert-manager*", "*cert-manager*"),
    preset("Crossplane", "crossplane", "crossplane*", "crossplane*"),
    preset("Azure Service Operator", "azure-service-operator", "azureserviceoperator-*", "azureserviceoperator-*"),
    preset("KEDA", "keda-operator", "*keda-operator*", "*keda-operator"),
    preset("the Secrets Store CSI driver", "secrets-store-csi-driver", "secret*", "*secrets-store-csi-driver*"),
    preset("Karpenter", "karpenter", "*karpenter*", "*karpenter*"),
    preset(
        "the AWS Load Balancer Controller",
        "aws-load-balancer-controller",
        "*aws-load-balancer-controller*",
        "*aws-load-balancer-controller*",
    ),
    preset("Cluster Autoscaler", "*cluster-autoscaler", "*cluster-autoscaler", "*cluster-autoscaler"),
];

const LABELS: [&str; 4] = ["app.kubernetes.io/part-of", "app.kubernetes.io/name", "component", "app"];

/// Whose stock set-up a binding of `role` to the service account `account` is. `objects` are those whose labels may say so.
pub(crate) fn of(role: &str, account: &str, objects: &[Node<'_>]) -> Option<&'static str> {
    let has_label = |wanted: &'static str| {
        let wanted = Glob::new(wanted);
        objects.iter().any(|object| {
            let labels = object.get("metadata").get("labels");
            LABELS.iter().any(|key| labels.peek(key).peek_str().is_some_and(|value| wanted.matches(value)))
        })
    };
    PRESETS
        .iter()
        .find(|preset| Glob::new(preset.role).matches(role) && Glob::new(preset.account).matches(account) && has_label(preset.label))
        .map(|preset| preset.title)
}

#[cfg(test)]
mod tests {
    use super::PRESETS;

    #[test]
    fn no_preset_fits_any_role() {
        for preset in PRESETS {
            assert!(preset.role.trim_matches('*').len() > 3 && preset.account.trim_matches('*').len() > 3, "{}", preset.title);
        }
    }
}
