// Kubernetes' own evaluator of match conditions.
//
//	cel VARIABLES <EXPRESSIONS
//
// VARIABLES is a JSON file with `object`, `oldObject` and `request`. EXPRESSIONS has one on each line, and of each a line is written: `refused: …` if
// an API server does not take a webhook with this condition, `true` or `false` if it has a value for the request, and `error: …` if it has none, also
// because it costs too much.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	admission "k8s.io/api/admission/v1"
	registration "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	attributes "k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/cel/environment"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "a file of variables is required, and expressions on standard input")
		os.Exit(2)
	}
	if err := answer(os.Args[1], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answer(variables string, expressions io.Reader, answers io.Writer) error {
	request, err := read(variables)
	if err != nil {
		return fmt.Errorf("%s: %w", variables, err)
	}
	evaluator := newEvaluator()
	lines := bufio.NewScanner(expressions)
	lines.Buffer(nil, 1<<20)
	out := bufio.NewWriter(answers)
	for lines.Scan() {
		fmt.Fprintln(out, strings.Join(strings.Fields(evaluator.of(lines.Text(), request)), " "))
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return out.Flush()
}

// read makes of the variables what an API server has before it asks a webhook.
func read(file string) (*attributes.VersionedAttributes, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var variables struct {
		Object    map[string]any             `json:"object"`
		OldObject map[string]any             `json:"oldObject"`
		Request   admission.AdmissionRequest `json:"request"`
	}
	// Kubernetes' own reader: it makes integers of numbers that are.
	if err := json.Unmarshal(text, &variables); err != nil {
		return nil, err
	}
	request := variables.Request
	extra := make(map[string][]string, len(request.UserInfo.Extra))
	for key, values := range request.UserInfo.Extra {
		extra[key] = values
	}
	who := &user.DefaultInfo{Name: request.UserInfo.Username, UID: request.UserInfo.UID, Groups: request.UserInfo.Groups, Extra: extra}
	kind := schema.GroupVersionKind(request.Kind)
	object, oldObject := wrapped(variables.Object), wrapped(variables.OldObject)
	record := attributes.NewAttributesRecord(
		object, oldObject, kind, request.Namespace, request.Name, schema.GroupVersionResource(request.Resource), request.SubResource,
		attributes.Operation(request.Operation), nil, request.DryRun != nil && *request.DryRun, who,
	)
	return &attributes.VersionedAttributes{Attributes: record, VersionedObject: object, VersionedOldObject: oldObject, VersionedKind: kind}, nil
}

// wrapped gives no typed nil, which would be an object.
func wrapped(object map[string]any) runtime.Object {
	if object == nil {
		return nil
	}
	return &unstructured.Unstructured{Object: object}
}

type evaluator struct {
	compiler   cel.Compiler
	conditions cel.ConditionCompiler
}

func newEvaluator() evaluator {
	set := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
	return evaluator{cel.NewCompiler(set), cel.NewConditionCompiler(set)}
}

func (e evaluator) of(expression string, request *attributes.VersionedAttributes) string {
	condition := &matchconditions.MatchCondition{Name: "condition", Expression: expression}
	declared := cel.OptionalVariableDeclarations{HasAuthorizer: true}
	// What is written is read with what the version before knew, too; what is stored, with everything.
	if read := e.compiler.CompileCELExpression(condition, declared, environment.NewExpressions); read.Error != nil {
		return "refused: " + read.Error.Detail
	}
	compiled := e.conditions.CompileCondition([]cel.ExpressionAccessor{condition}, declared, environment.StoredExpressions)
	fail := registration.Fail
	result := matchconditions.NewMatcher(compiled, &fail, "webhook", "validating", "webhook").Match(context.Background(), request, nil, nobody{})
	if result.Error != nil {
		return "error: " + result.Error.Error()
	}
	return fmt.Sprint(result.Matches)
}

// nobody may do anything.
type nobody struct{}

func (nobody) Authorize(context.Context, authorizer.Attributes) (authorizer.Decision, string, error) {
	return authorizer.DecisionNoOpinion, "", nil
}
