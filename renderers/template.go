package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"
)

// templateRequest is texts to fill in as the controller of ApplicationSets with `goTemplate: true` does it
// (argo-cd, applicationset/utils).
type templateRequest struct {
	// Texts are templates, each by itself.
	Texts []string `json:"texts"`
	// Parameters is what they are run on.
	Parameters map[string]any `json:"parameters"`
	// StringMaps are JSON Pointers to maps in Parameters that are a map[string]string there.
	StringMaps []string `json:"stringMaps"`
	// Options are those of text/template.
	Options []string `json:"options"`
	// MaxBytes is how long one answer may be.
	MaxBytes int `json:"maxBytes"`
}

// filled is what became of one text.
type filled struct {
	Text  string `json:"text"`
	Error string `json:"error,omitempty"`
}

func fillTemplates(asked *templateRequest) ([]filled, error) {
	var parameters any = asked.Parameters
	for _, pointer := range asked.StringMaps {
		parameters = withStringMap(parameters, strings.Split(pointer, "/")[1:])
	}
	functions := templateFunctions()
	texts := make([]filled, len(asked.Texts))
	for index, text := range asked.Texts {
		out, err := fillTemplate(text, parameters, functions, asked)
		var known *failure
		if errors.As(err, &known) {
			return nil, known
		}
		if texts[index].Text = out; err != nil {
			texts[index] = filled{Error: err.Error()}
		}
	}
	return texts, nil
}

func fillTemplate(text string, parameters any, functions template.FuncMap, asked *templateRequest) (result string, err error) {
	defer func() {
		// An option that there is none of, and some functions of sprig, panic.
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("%v", panicked)
		}
	}()
	parsed, err := template.New("").Funcs(functions).Funcs(template.FuncMap{"tpl": noTemplate}).Parse(text)
	if err != nil {
		return "", err
	}
	parsed = parsed.Option(asked.Options...)
	out := &boundedBuffer{left: asked.MaxBytes}
	parsed.Funcs(template.FuncMap{"tpl": nested(parsed, asked.MaxBytes)})
	if err := parsed.Execute(out, parameters); err != nil {
		return "", err
	}
	return out.String(), nil
}

// templateFunctions are sprig's without those that say something of the machine, and a few more.
func templateFunctions() template.FuncMap {
	functions := maps.Clone(sprig.GenericFuncMap())
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(functions, name)
	}
	functions["normalize"] = normalize
	functions["slugify"] = slugify
	functions["toYaml"] = func(value any) (string, error) {
		text, err := yaml.Marshal(value)
		return strings.TrimSuffix(string(text), "\n"), err
	}
	functions["fromYaml"] = func(text string) (map[string]any, error) {
		value := map[string]any{}
		err := yaml.Unmarshal([]byte(text), &value)
		return value, err
	}
	functions["fromYamlArray"] = func(text string) ([]any, error) {
		value := []any{}
		err := yaml.Unmarshal([]byte(text), &value)
		return value, err
	}
	return functions
}

func noTemplate(string, any) (string, error) { return "", errors.New("no template runs") }

// nested is `tpl`: a text as a template that has the functions and options of the one that it stands in.
func nested(parent *template.Template, most int) func(string, any) (string, error) {
	return func(text string, values any) (string, error) {
		clone, err := parent.Clone()
		if err != nil {
			return "", fmt.Errorf("cannot clone template: %w", err)
		}
		inner, err := clone.New(parent.Name()).Parse(text)
		if err != nil {
			return "", fmt.Errorf("cannot parse template %q: %w", text, err)
		}
		out := &boundedBuffer{left: most}
		if err := inner.Execute(out, values); err != nil {
			return "", fmt.Errorf("error during tpl function execution for %q: %w", text, err)
		}
		return strings.ReplaceAll(out.String(), "<no value>", ""), nil
	}
}

var notInNames = regexp.MustCompile("[^-a-z0-9.]")

// normalize makes a name of a text that Kubernetes takes.
func normalize(name string) string {
	const longest = 253
	name = notInNames.ReplaceAllString(strings.ToLower(name), "-")
	if len(name) > longest {
		name = name[:longest]
	}
	return strings.Trim(name, "-.")
}

// slugify takes the name last, and before it how long a slug may be and whether only whole words are left out.
func slugify(arguments ...any) (string, error) {
	longest, isSmart := 50, false
	if len(arguments) == 0 || len(arguments) > 3 {
		return "", errors.New("slugify takes [length] [smart] name")
	}
	for index, argument := range arguments[:len(arguments)-1] {
		switch given := argument.(type) {
		case int:
			longest = given
		case bool:
			isSmart = given
		default:
			return "", fmt.Errorf("argument %d of slugify is no number and no boolean", index+1)
		}
	}
	name, ok := arguments[len(arguments)-1].(string)
	if !ok {
		return "", errors.New("the last argument of slugify is no string")
	}
	return slugOf(name, longest, isSmart)
}

var notInSlugs = regexp.MustCompile("[^a-z0-9_]+")

// slugOf makes what github.com/gosimple/slug makes of a text of ASCII. For others it has tables, which are not here.
func slugOf(name string, longest int, isSmart bool) (string, error) {
	for _, letter := range name {
		if letter > 127 {
			return "", deferred(fmt.Sprintf("slugify of %q, which has letters that are not ASCII, is not done here", name))
		}
	}
	name = strings.NewReplacer(`"`, "", "'", "", "&", "and", "@", "at").Replace(strings.TrimSpace(name))
	if !isSmart && longest >= 0 && len(name) > longest {
		name = name[:longest]
	}
	slug := strings.Trim(notInSlugs.ReplaceAllString(strings.ToLower(name), "-"), "-_")
	if !isSmart || longest <= 0 || len(slug) <= longest {
		return slug, nil
	}
	if at := strings.LastIndexByte(slug[:longest+1], '-'); at >= 0 {
		return slug[:at], nil
	}
	return slug[:longest], nil
}

// withStringMap makes a map[string]string of the map at the end of a pointer; what is no such map stays as it is.
func withStringMap(value any, pointer []string) any {
	if len(pointer) == 0 {
		given, ok := value.(map[string]any)
		if !ok {
			return value
		}
		texts := make(map[string]string, len(given))
		for key, entry := range given {
			text, ok := entry.(string)
			if !ok {
				return value
			}
			texts[key] = text
		}
		return texts
	}
	key := strings.NewReplacer("~1", "/", "~0", "~").Replace(pointer[0])
	switch given := value.(type) {
	case map[string]any:
		if inner, ok := given[key]; ok {
			given[key] = withStringMap(inner, pointer[1:])
		}
	case []any:
		if index, err := strconv.Atoi(key); err == nil && index >= 0 && index < len(given) {
			given[index] = withStringMap(given[index], pointer[1:])
		}
	}
	return value
}

// boundedBuffer takes no more than it may: a template can loop for long.
type boundedBuffer struct {
	bytes.Buffer
	left int
}

func (b *boundedBuffer) Write(text []byte) (int, error) {
	if b.left -= len(text); b.left < 0 {
		return 0, errors.New("the text is too long")
	}
	return b.Buffer.Write(text)
}
