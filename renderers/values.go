package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/strvals"
)

// valueSources is where a release's values come from, in the order of their force.
type valueSources struct {
	Values     []valueFile `json:"values"`
	SetJSON    []string    `json:"setJson"`
	Set        []string    `json:"set"`
	SetString  []string    `json:"setString"`
	SetFile    []string    `json:"setFile"`
	SetLiteral []string    `json:"setLiteral"`
	// Folder is where relative paths in SetFile start.
	Folder string `json:"folder"`
}

// valueFile is a file, or a text with a name for messages.
type valueFile struct {
	File string  `json:"file"`
	Text *string `json:"text"`
}

// merge follows MergeValues of Helm's pkg/cli/values, which links what fetches files from a network.
func (from *valueSources) merge() (map[string]any, error) {
	merged := map[string]any{}
	for _, file := range from.Values {
		text, err := file.read()
		if err != nil {
			return nil, err
		}
		values, err := loader.LoadValues(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("failed to parse %s: %w", file.File, err)
		}
		merged = loader.MergeMaps(merged, values)
	}
	for _, text := range from.SetJSON {
		if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "{") {
			var values map[string]any
			if err := json.Unmarshal([]byte(trimmed), &values); err != nil {
				return nil, fmt.Errorf("failed parsing --set-json data JSON: %s", text)
			}
			merged = loader.MergeMaps(merged, values)
		} else if err := strvals.ParseJSON(text, merged); err != nil {
			return nil, fmt.Errorf("failed parsing --set-json data %s", text)
		}
	}
	read := func(name []rune) (any, error) {
		text, err := valueFile{File: from.path(string(name))}.read()
		return string(text), err
	}
	for _, kind := range []struct {
		flag  string
		texts []string
		parse func(string, map[string]any) error
	}{
		{"--set", from.Set, strvals.ParseInto},
		{"--set-string", from.SetString, strvals.ParseIntoString},
		{"--set-file", from.SetFile, func(text string, into map[string]any) error { return strvals.ParseIntoFile(text, into, read) }},
		{"--set-literal", from.SetLiteral, strvals.ParseLiteralInto},
	} {
		for _, text := range kind.texts {
			if err := kind.parse(text, merged); err != nil {
				return nil, fmt.Errorf("failed parsing %s data: %w", kind.flag, err)
			}
		}
	}
	return merged, nil
}

func (from *valueSources) path(name string) string {
	if strings.HasPrefix(name, "/") || strings.Contains(name, "://") {
		return name
	}
	return from.Folder + "/" + name
}

func (file valueFile) read() ([]byte, error) {
	if file.Text != nil {
		return []byte(*file.Text), nil
	}
	if at, err := url.Parse(file.File); err == nil && at.Scheme != "" {
		return nil, deferred("a values file to fetch: " + file.File)
	}
	return os.ReadFile(file.File)
}
