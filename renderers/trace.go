package main

import (
	"sigs.k8s.io/kustomize/api/types"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// withBuildMetadata adds what the kustomization does not have yet, and leaves everything else as it stands. Nil if it is no mapping.
func withBuildMetadata(text []byte, had wanted) ([]byte, error) {
	node, err := kyaml.Parse(string(text))
	if err != nil || kyaml.ErrorIfInvalid(node, kyaml.MappingNode) != nil {
		return nil, nil
	}
	list, err := node.Pipe(kyaml.LookupCreate(kyaml.SequenceNode, "buildMetadata"))
	if err != nil || list == nil {
		return nil, nil
	}
	for _, option := range []struct {
		name string
		had  bool
	}{{types.OriginAnnotations, had.origins}, {types.TransformerAnnotations, had.transformers}} {
		if !option.had {
			if err := list.PipeE(kyaml.Append(kyaml.NewStringRNode(option.name).YNode())); err != nil {
				return nil, err
			}
		}
	}
	changed, err := node.String()
	return []byte(changed), err
}
