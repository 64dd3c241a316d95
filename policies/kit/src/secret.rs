//! Values of Secrets: `stringData` as people write them, `data` as every cluster has them.

use crate::node::Node;

/// The value of a key: `stringData` wins over `data`, as in the API server. What `data` holds is decoded; absent where it is no text.
pub fn value<'a>(secret: Node<'a>, key: &'a str) -> Node<'a> {
    let plain = secret.get("stringData").get(key);
    if plain.value().is_none() && secret.peek("data").peek(key).is_present() { secret.get("data").decoded(key) } else { plain }
}

/// Whether an object is a Secret, whose values no message may show.
pub fn is_secret(object: Node<'_>) -> bool {
    object.peek_text("kind") == Some("Secret") && object.peek_text("apiVersion") == Some("v1")
}

/// What Argo CD takes a Secret for: the value of its label `argocd.argoproj.io/secret-type`, or nothing.
pub fn argocd_type(secret: Node<'_>) -> &str {
    secret.peek("metadata").peek("labels").peek_text("argocd.argoproj.io/secret-type").unwrap_or("")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use bumpalo::Bump;

    use super::value;
    use crate::node::{Format, Origin, Session};
    use crate::value::Value;

    #[test]
    fn reads_both_forms_and_points_at_what_is_written() {
        let bump = Bump::new();
        let text = br#"{"stringData": {"config": "{\"a\": {\"b\": 1}}"}, "data": {"config": "AA==", "plain": "eyJhIjogeyJiIjogMX19", "bad": "/w==", "worse": "%"}}"#;
        let secret = Session::new(&bump).root(Value::from_json(text, &bump).unwrap(), Origin::Request);
        let inner = |key| value(secret, key).open(Format::Json).unwrap().at(&["a", "b"]);
        assert_eq!(inner("config").int(), Some(1));
        assert_eq!(inner("config").place().embedded, ["/a/b"]);
        assert!(inner("config").is_verbatim());
        assert_eq!(inner("plain").int(), Some(1));
        assert_eq!((inner("plain").place().path.as_str(), inner("plain").place().embedded.len()), ("/data/plain", 0));
        assert!(!inner("plain").is_verbatim());
        for key in ["bad", "worse", "none"] {
            assert!(value(secret, key).is_absent(), "{key}");
        }
    }
}
