//! What is judged at all, the same for every policy.

use crate::context::{Context, Lookup};
use crate::finding::ObjectRef;
use crate::request::{Operation, Request, group_of};
use crate::settings::Common;
use crate::text::any_matches;
use crate::workload;

/// Whether the request is to be judged. What is not judged is accepted.
///
/// DELETE and objects on their way out, sub-resources other than `ephemeralcontainers`, exempt namespaces, and pods whose controller's
/// template was judged before. An `ownerReferences` entry alone proves nothing, since anybody can write one: the host has to confirm
/// that the controller exists, with that uid.
pub(crate) fn is_judged<'a>(request: &Request<'a>, common: &Common, context: &Context<'a>) -> bool {
    if matches!(request.operation, Operation::Delete | Operation::Connect) || !matches!(request.sub_resource, "" | "ephemeralcontainers") {
        return false;
    }
    if any_matches(&common.exempt_namespaces, request.namespace) && !request.namespace.is_empty() {
        return false;
    }
    let metadata = request.object.peek("metadata");
    if metadata.peek("deletionTimestamp").is_present() {
        return false;
    }
    // Ephemeral containers are added to the pod alone, never to its template.
    request.sub_resource == "ephemeralcontainers" || !is_owned(request, context)
}

fn is_owned<'a>(request: &Request<'a>, context: &Context<'a>) -> bool {
    let derived = matches!((request.group, request.kind), ("", "Pod") | ("apps", "ReplicaSet") | ("batch", "Job"));
    if !derived {
        return false;
    }
    let references = request.object.peek("metadata").peek("ownerReferences");
    let Some(owner) = references.peek_items().find(|owner| owner.peek("controller").value() == Some(&crate::value::Value::Bool(true)))
    else {
        return false;
    };
    let text = |field: &'static str| owner.peek(field).peek_str().unwrap_or("");
    let (api_version, kind, name, uid) = (text("apiVersion"), text("kind"), text("name"), text("uid"));
    if uid.is_empty() || !workload::is_known(group_of(api_version), kind) {
        return false;
    }
    match context.get(ObjectRef { api_version, kind, namespace: request.namespace, name }, owner) {
        Lookup::Found(object) => object.peek("metadata").peek_text("uid") == Some(uid),
        Lookup::NotFound | Lookup::NotKnown(_) => false,
    }
}
