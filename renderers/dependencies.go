package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

// complete adds charts that lie beside this one (`repository: file://…`) and are not in charts/, as `helm dependency build` does, which
// Argo CD runs where charts are missing. Any other chart that is missing would have to be fetched.
//
// It returns where each of the added ones was read from.
func complete(loaded *chart.Chart, at string) (map[*chart.Chart]string, error) {
	added := map[*chart.Chart]string{}
	var missing []string
	for _, needed := range loaded.Metadata.Dependencies {
		if slices.ContainsFunc(loaded.Dependencies(), func(have *chart.Chart) bool { return have.Name() == needed.Name }) {
			continue
		}
		local, isLocal := strings.CutPrefix(needed.Repository, "file://")
		if !isLocal || strings.HasSuffix(at, ".tgz") {
			missing = append(missing, needed.Name)
			continue
		}
		if !path.IsAbs(local) {
			local = path.Join(at, local)
		}
		found, err := beside(local, needed)
		if err != nil {
			return nil, err
		}
		added[found] = local
		loaded.AddDependency(found)
	}
	if len(missing) > 0 {
		return nil, deferred("charts to fetch, in Chart.yaml but not in charts/: " + strings.Join(missing, ", "))
	}
	return added, nil
}

// beside reads the chart of a dependency, if its version is one that is wanted.
func beside(at string, needed *chart.Dependency) (*chart.Chart, error) {
	found, err := loader.LoadDir(at)
	if err != nil {
		return nil, fmt.Errorf("dependency %s: %w", needed.Name, err)
	}
	wanted, err := semver.NewConstraint(needed.Version)
	if err != nil {
		return nil, fmt.Errorf("dependency %s has an invalid version/constraint format: %w", needed.Name, err)
	}
	version, err := semver.NewVersion(found.Metadata.Version)
	if err != nil {
		return nil, fmt.Errorf("dependency %s: %w", needed.Name, err)
	}
	if !wanted.Check(version) {
		return nil, fmt.Errorf("dependency %s: %s has version %s, not %s", needed.Name, at, version, needed.Version)
	}
	return found, nil
}
