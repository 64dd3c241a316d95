// Package yaml splits a stream into its documents, as values files are read.
package yaml

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
)

// YAMLReader reads one document after the other.
type YAMLReader struct{ lines *bufio.Reader }

// NewYAMLReader reads from there.
func NewYAMLReader(lines *bufio.Reader) *YAMLReader { return &YAMLReader{lines} }

// Read returns the next document that has a line; io.EOF after the last one.
func (r *YAMLReader) Read() ([]byte, error) {
	var document bytes.Buffer
	for {
		line, err := r.lines.ReadString('\n')
		if err != nil && err != io.EOF {
			return nil, err
		}
		ended := err == io.EOF && line == ""
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if rest, marker := strings.CutPrefix(line, "---"); marker {
			if rest = strings.TrimSpace(rest); rest != "" && rest[0] != '#' {
				return nil, fmt.Errorf("invalid Yaml document separator: %s", rest)
			}
			if document.Len() > 0 {
				return document.Bytes(), nil
			}
		}
		if ended {
			if document.Len() > 0 {
				return document.Bytes(), nil
			}
			return nil, io.EOF
		}
		document.WriteString(line + "\n")
	}
}
