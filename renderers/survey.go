package main

import (
	"fmt"
	"net/url"
	"path"
	"slices"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

// kustomizationIn finds the one file in a folder that is its kustomization.
func kustomizationIn(files *overlay, folder string) (string, []byte, error) {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		at := path.Join(folder, name)
		if text, err := files.ReadFile(at); err == nil {
			return at, text, nil
		}
	}
	return "", nil, fmt.Errorf("no kustomization in %s", folder)
}

// survey looks for what cannot be built here, since Kustomize's own errors about it mislead: it would try to run `git` or `helm`.
// What is wrong with a kustomization in any other way is left for Kustomize to say.
func survey(files *overlay, folder string) error {
	seen := map[string]bool{}
	var visit func(folder string) error
	visit = func(folder string) error {
		if seen[folder] {
			return nil
		}
		seen[folder] = true
		name, text, err := kustomizationIn(files, folder)
		if err != nil {
			return nil
		}
		var content types.Kustomization
		if yaml.Unmarshal(text, &content) != nil {
			return nil
		}
		content.FixKustomization()
		if len(content.HelmCharts) > 0 {
			return deferred(fmt.Sprintf("%s has helmCharts, which need a chart to be fetched and `--enable-helm`", name))
		}
		for _, entry := range slices.Concat(content.Resources, content.Components, content.Generators, content.Transformers, content.Validators) {
			if isRemote(entry) {
				return deferred(fmt.Sprintf("%s names %s, which must be fetched", name, entry))
			}
			if at := path.Join(folder, entry); files.IsDir(at) {
				if err := visit(at); err != nil {
					return err
				}
			}
		}
		for _, file := range loaded(&content) {
			if isWeb(file) {
				return deferred(fmt.Sprintf("%s names %s, which must be fetched", name, file))
			}
		}
		return nil
	}
	return visit(folder)
}

// isRemote is whether Kustomize would fetch it, by its own reading of addresses.
func isRemote(entry string) bool {
	return isWeb(entry) || (&resource.Origin{}).Append(entry).Repo != ""
}

func isWeb(entry string) bool {
	at, err := url.Parse(entry)
	return err == nil && (at.Scheme == "http" || at.Scheme == "https")
}

// loaded is the files that a kustomization names besides other kustomizations.
func loaded(content *types.Kustomization) []string {
	files := slices.Concat(content.Crds, content.Configurations, []string{content.OpenAPI["path"]})
	for _, patch := range slices.Concat(content.Patches, content.PatchesJson6902) {
		files = append(files, patch.Path)
	}
	for _, patch := range content.PatchesStrategicMerge {
		files = append(files, string(patch))
	}
	for _, replacement := range content.Replacements {
		files = append(files, replacement.Path)
	}
	return files
}

// wanted is the notes that the kustomization itself asks to leave in the output.
type wanted struct{ origins, transformers bool }

// trace has Kustomize note where each resource comes from.
func trace(files *overlay, folder string) (wanted, error) {
	name, text, err := kustomizationIn(files, folder)
	if err != nil {
		// Kustomize says it better.
		return wanted{}, nil
	}
	var content types.Kustomization
	if yaml.Unmarshal(text, &content) != nil {
		return wanted{}, nil
	}
	// An empty one is an error, and must stay empty.
	if content.FixKustomization(); content.CheckEmpty() != nil {
		return wanted{}, nil
	}
	had := wanted{
		origins:      slices.Contains(content.BuildMetadata, types.OriginAnnotations),
		transformers: slices.Contains(content.BuildMetadata, types.TransformerAnnotations),
	}
	changed, err := withBuildMetadata(text, had)
	if err != nil || changed == nil {
		return had, err
	}
	return had, files.WriteFile(name, changed)
}
