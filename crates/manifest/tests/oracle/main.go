// Asks Kubernetes' own YAML decoder what it makes of scalars, keys, merges and duplicates, and prints the answers as the
// fixture that the tests hold our reader to. See README.md.
package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"

	"sigs.k8s.io/yaml"
)

// Answer is what the decoder made of one document.
type Answer struct {
	YAML string `json:"yaml"`
	// JSON is empty where the decoder rejects the document.
	JSON string `json:"json,omitempty"`
	// Strict says whether its strict form, which the API server uses for field validation, accepts the document, too.
	Strict bool `json:"strict"`
}

var plain = []string{
	"true", "True", "TRUE", "tRUE", "false", "False", "FALSE", "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF",
	"y", "Y", "n", "N", "~", "null", "Null", "NULL", "nULL", "nil", "none", "", "=", "<<", "-", "--", "+", ".", "..", "...x", "_", "_1",
	"0", "00", "07", "08", "09", "0755", "0o755", "0O755", "0o8", "0x1F", "0X1f", "0x", "0xG", "0b11", "0B11", "0b12", "0b", "0b-1", "0b+1", "-0b11", "-0b-1",
	"1_000", "1__0", "0_7", "1_", "0x_1F", "0x1_F", "+1", "-1", "+0x1F", "-0x1F", "+0755", "-0", "+0", "-00", "--1", "+-1", "-0x-1",
	"1.0", "1.", "1.50", ".5", "+.5", "-.5", ".5e1", ".e1", "._5", ".5_0", ".5_", ".5__0", "1.2.3", "1e3", "1E3", "1e+3", "1e-3", "1e", "1e3.5", "1.e3", "01e3", "08.5", "1_0.5",
	"1e20", "1e21", "1e-6", "1e-7", "123456789012345678901234567890", "1e400", "-1e400", "1e-400", "0.1", "3.141592653589793", "100000.5", "1e5", "1e6", "1234567.5", "-0.0", "0.0", "5e-324",
	"1.7976931348623157e308", "0x1p3", ".0x1", "1e1000",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "+18446744073709551615",
	"0xFFFFFFFFFFFFFFFF", "0x10000000000000000", "0777777777777777777777", "01777777777777777777777",
	".inf", ".Inf", ".INF", "+.inf", "-.inf", ".nan", ".NaN", ".NAN", "-.nan", ".iNF", "inf", "nan", "Infinity",
	"12:30:45", "1:30", "190:20:30.15", "2001-01-01", "2001-1-1", "2001-12-14T21:59:43.10-05:00", "2001-12-14 21:59:43", "2001-13-45", "12e03", "1d", "1s", "500m", "256Mi", "0.5Gi", "1,000", "1 000",
	"a", "a b", "yes please", "truely", "nullify", "1a", "1-2", "1.2-3", "0x1G", "e3", "1e3e4", "é", "日本", "a:b", "a#b", "::", "-a", "?a", ".a",
	"c0ffee", "00000000-0000-0000-0000-000000000000", "12345678-0000-0000-0000-000000000001", "1e5f0000", "0e0",
}

var tagged = []string{
	"!!str 1", "!!str true", "!!str ~", "!!str null", "!!str", "!!str 2001-01-01", "!!str .inf", `!!str "x"`,
	"!!int 1", `!!int "1"`, "!!int '0x1F'", "!!int 1.0", "!!int 1.5", "!!int x", "!!int", `!!int ""`, "!!int 18446744073709551615", "!!int true", "!!int 1_000",
	"!!float 1", `!!float "1"`, "!!float 1.5", "!!float .inf", "!!float x", "!!float 18446744073709551615", "!!float 1e3", "!!float",
	"!!bool true", `!!bool "yes"`, "!!bool on", "!!bool 1", "!!bool x", "!!bool",
	"!!null ~", `!!null ""`, "!!null", "!!null x", "!!null null", "!!null 0",
	"!!timestamp 2001-01-01", "!!timestamp '2001-12-14T21:59:43Z'", "!!timestamp x", "!!timestamp 1",
	"!!binary aGk=", "!!binary aGk", "!!binary 'a Gk='", `!!binary "aGk=\n"`, "!!binary ''", "!!binary gIE=", "!!binary x",
	"! 1", "! true", "! ''", "!local 1", "!local", "!<tag:yaml.org,2002:int> '7'", "!<tag:example.invalid,2000:x> 7", "!!merge <<", "!!unknown 1", "!!seq [1]", "!!map {a: 1}", "!!str [1]", "!!int {a: 1}", "!!set {a, b}", "!!omap [a: 1]", "!!null [1]", "!!null {a: 1}",
}

var documents = []string{
	"'true'", `"1"`, `"0x1F"`, "'null'", "''", `""`, "'~'", "|\n  1\n", ">\n  true\n", `"\x41\u00e9\U0001F600\/\e\_\N\L\P"`, `"a\
  b"`, "\"a\n\n  b\"", "'a\n  b'", "a\n  b\n\n  c",
	"a: &x 1\nb: *x", "a: &x {k: 0x10}\nb: *x\nc: [*x, *x]", "&a a: 1\nb: *a", "&a [*a]", "a: *nope",
	"*x : 1", "a: &x k\n*x : 1", "a: &x 7\n*x : 1", "a: &x [1]\n*x : 1",
	"a: 1\na: 2", "a: 1\nb: 2\na: 3\na: 4", "1: a\n'1': b", "a: {b: 1, b: 2}", "true: a\nyes: b",
	"b: &b {x: 1, y: 2}\nc:\n  <<: *b\n  y: 3", "b: &b {x: 1, y: 2}\nc:\n  y: 3\n  <<: *b", "b: &b {x: 1}\nd: &d {x: 2, z: 3}\nc:\n  <<: [*b, *d]",
	"b: &b {x: 1}\nd: &d {x: 2, z: 3}\nc:\n  <<: *b\n  <<: *d", "c:\n  <<: {x: 1, y: {z: 2}}\n  x: 2", "c:\n  <<: [{x: 1}, {x: 2, w: 3}]\n  v: 2", "c:\n  <<: &m {x: 1}\nd: *m",
	"b: &b {x: {p: 1, q: 2}}\nc:\n  <<: *b\n  x: {p: 3}", "a: &a {p: 1}\nb: &b\n  <<: *a\n  q: 2\nc:\n  <<: *b\n  r: 3",
	"c:\n  <<: 1", "c:\n  <<: ~", "c:\n  <<:", "c:\n  <<: [1]", "c:\n  <<: [[{a: 1}]]", "c:\n  <<: []", "c:\n  <<: {}", "s: &s 1\nc:\n  <<: *s", "l: &l [{a: 1}]\nc:\n  <<: *l", "c:\n  '<<': {a: 1}", "c:\n  \"<<\": 1",
	"<<: {a: 1}\na: 2", "[<<: {a: 1}]", "c:\n  !!merge <<: {a: 1}", "- <<", "a: <<",
	"? a\n: b", "? [a]\n: b", "? {a: 1}\n: b", "{a: 1}: b", "[a]: b", "? |\n  x\n: y", "a: {{ b }}", "{? a : b, ? c}", "{a, b: , c: d}", "[a: 1, b]", "[a, , b]", "[a, ]", "{a: 1, }",
	": x", "~: x", "null: x", "'': x", "? \n: x",
	"- =", "=: =", "[=]", "- - - 1", "a:\n- 1\n-\n- - 2", "-\n  a: 1\n-\n", "a: b: c", "a:\n\tb: 1", "a:\tb", "a: b\t", "- \ta", "\ta: 1", "{a:\t1}", "a:\n  - b\n c: d",
	"%YAML 1.1\n---\na: 1", "%YAML 1.2\n---\na: yes", "%TAG !e! tag:yaml.org,2002:\n---\na: !e!int '1'", "\ufeffa: 1", "", "# only", "---", "---\n...", "a: |\n  x\n\n\n", "a: |+\n  x\n\n\n", "a: |-\n  x\n\n\n", "a: >\n  x\n  y\n\n  z\n   w\n", "a: |2\n    x\n", "a: |\n  x", "a: |+\n  x", "a: >\n  x\n  y", "a: |\n  x\n ", "a: |\n", "a: |", "a: |\n\n\nb: 1", "a: >\n\n\n  x",
	"a: !!binary |\n  aGVs\n  bG8=\n", "a: b\r\nc:\r\n- d\r\ne: |\r\n  f\r\n  g\r\n", "a: b\rc: d", "a: 'b\r\n  c'",
	"a: \"x\ty\"", "a: 'it''s'", "a: @x", "a: `x`", "a: %x", "a: &x", "a: *", "a: !", "a: |x", "a: 'x", "a: \"\\q\"", "a: [1", "a: {b: 1", "a: ]", "a: x]", "a: -", "a: - b", "a: ?", "a: ? b", "a: [?]", "a: [-]", "a: [- b]", "a: #b", "a: b#c", "a: b #c", "a:b", "a:  ",
	"a: \"\\ud83d\\ude00\"", "a: \"\\ud83d\"", "a: \u007f", "a: \u0085b", "a: x\u2028y", "a: \"x\u00a0y\"",
	`{"a":1.0,"b":1e3,"c":[],"d":{},"e":"\/\u0041"}`, `{"a":1}`, `{"a":1,}`, "{'a':1}", `{"a":1 /* x */}`, "{\"a\":\n1}", `{"a":"b":"c"}`, `{"a" : 1}`, `{"a":b}`, `{a:b}`, `{a:1,b:[x:y]}`,
}

var keys = []string{
	"1", "0x1F", "-1", "+1", "0755", "1.5", "1.0", "1e3", "1e6", "1e5", "1e21", "0.1", "0.0001", "0.00001", "123456.7", "1234567.8", "16777217.0", "3.4028236e38", "1e39", ".inf", "-.inf", ".nan", "-0.0", "1e-50",
	"true", "yes", "on", "y", "n", "off", "No", "null", "~", "18446744073709551615", "9223372036854775807", "2001-01-01", "12:30", "a", "'1'", "'true'", "!!str 1", "!!int '1'", "!!float 1", "!!binary aGk=", "!!null x", "=",
}

func main() {
	var answers []Answer
	ask := func(document string) {
		answer := Answer{YAML: document}
		if out, err := yaml.YAMLToJSON([]byte(document)); err == nil {
			// Go escapes these, for HTML or because they replace broken UTF-8; they mean the same.
			answer.JSON = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&", `\ufffd`, "\ufffd").Replace(string(out))
		}
		_, err := yaml.YAMLToJSONStrict([]byte(document))
		answer.Strict = err == nil
		answers = append(answers, answer)
	}
	for _, scalar := range plain {
		ask("a: " + scalar)
	}
	for _, scalar := range plain {
		ask("- '" + strings.ReplaceAll(scalar, "'", "''") + "'")
	}
	for _, scalar := range tagged {
		ask("a: " + scalar)
	}
	for _, key := range keys {
		ask(key + ": v")
	}
	for _, document := range documents {
		ask(document)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	out.WriteString("[\n")
	for index, answer := range answers {
		if index > 0 {
			out.WriteString(",\n")
		}
		if err := encoder.Encode(answer); err != nil {
			panic(err)
		}
		out.Truncate(out.Len() - 1)
	}
	out.WriteString("\n]\n")
	if _, err := os.Stdout.Write(out.Bytes()); err != nil {
		panic(err)
	}
}
