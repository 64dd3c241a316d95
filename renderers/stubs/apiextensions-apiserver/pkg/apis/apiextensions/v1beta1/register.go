// Package v1beta1 makes the group of custom resource definitions known.
package v1beta1

import "k8s.io/client-go/kubernetes/scheme"

// AddToScheme adds this version of it.
func AddToScheme(known *scheme.Known) { known.Add("apiextensions.k8s.io", "v1beta1") }
