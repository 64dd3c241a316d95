package main

import (
	"path"
	"slices"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
)

// kustomizeRequest is a folder with a kustomization, and what is changed in it beforehand. Paths are absolute.
type kustomizeRequest struct {
	Folder string `json:"folder"`
	Edits  []edit `json:"edits"`
	// LoadRestrictionsNone is `--load-restrictor=LoadRestrictionsNone`.
	LoadRestrictionsNone bool `json:"loadRestrictionsNone"`
}

// renderKustomize does what `kustomize build` does.
func renderKustomize(asked *kustomizeRequest) ([]document, error) {
	files := newOverlay()
	for _, edit := range asked.Edits {
		if err := edit.apply(files, asked.Folder); err != nil {
			return nil, err
		}
	}
	if err := survey(files, asked.Folder); err != nil {
		return nil, err
	}
	wanted, err := trace(files, asked.Folder)
	if err != nil {
		return nil, err
	}
	options := krusty.MakeDefaultOptions()
	// The command line's own default, which is not the library's.
	options.Reorder = krusty.ReorderOptionUnspecified
	if asked.LoadRestrictionsNone {
		options.LoadRestrictions = types.LoadRestrictionsNone
	}
	resources, err := krusty.MakeKustomizer(options).Run(files, asked.Folder)
	if err != nil {
		return nil, err
	}
	var documents []document
	for index, made := range resources.Resources() {
		from, err := originOf(made, asked.Folder)
		if err != nil {
			return nil, err
		}
		if !wanted.origins {
			if err := made.SetOrigin(nil); err != nil {
				return nil, err
			}
		}
		if !wanted.transformers {
			if err := made.ClearTransformations(); err != nil {
				return nil, err
			}
		}
		text, err := made.AsYAML()
		if err != nil {
			return nil, err
		}
		if index > 0 {
			text = append([]byte("---\n"), text...)
		}
		documents = append(documents, document{Text: string(text), Origin: from})
	}
	return documents, nil
}

// originOf reads what Kustomize has noted of a resource.
func originOf(made *resource.Resource, folder string) (origin, error) {
	noted, err := made.GetOrigin()
	if err != nil || noted == nil {
		return origin{}, err
	}
	from := origin{Path: noted.Path, Name: noted.ConfiguredBy.Kind}
	if from.Path == "" {
		from.Path = noted.ConfiguredIn
	}
	from.Path = path.Join(folder, from.Path)
	changes, err := made.GetTransformations()
	for _, change := range changes {
		at := change.ConfiguredIn
		if at == "" {
			at = change.Path
		}
		if at = path.Join(folder, at); !slices.Contains(from.Changed, at) {
			from.Changed = append(from.Changed, at)
		}
	}
	return from, err
}
