// Package version reads the versions of Kubernetes that people write.
package version

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Two numbers or more at the beginning; what follows them does not count.
var numbers = regexp.MustCompile(`^\s*v?([0-9]+(?:\.[0-9]+)*)(.*)*$`)

// Version is the numbers of a version.
type Version struct{ parts []uint }

// ParseGeneric reads `1.30`, `v1.30.2`, `v1.30.2-gke.100`.
func ParseGeneric(text string) (*Version, error) {
	match := numbers.FindStringSubmatch(text)
	if match == nil {
		return nil, fmt.Errorf("could not parse %q as version", text)
	}
	written := strings.Split(match[1], ".")
	if len(written) < 2 {
		return nil, fmt.Errorf("illegal version string %q", text)
	}
	if strings.HasPrefix(written[0], "0") && written[0] != "0" {
		return nil, fmt.Errorf("illegal zero-prefixed version component %q in %q", written[0], text)
	}
	version := &Version{}
	for _, part := range written {
		number, err := strconv.ParseUint(part, 10, 0)
		if err != nil {
			return nil, fmt.Errorf("illegal non-numeric version component %q in %q: %v", part, text, err)
		}
		version.parts = append(version.parts, uint(number))
	}
	return version, nil
}

// Major is the first number.
func (v *Version) Major() uint { return v.parts[0] }

// Minor is the second.
func (v *Version) Minor() uint { return v.parts[1] }

// String is the numbers alone.
func (v *Version) String() string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(v.parts), "[]"), " ", ".")
}
