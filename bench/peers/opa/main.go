// The questions of decide_bench, asked of OPA's own Go library: a prepared query over data that is indexed by what the
// rules are about and by group. Each answer is compared with Weft's before anything is measured.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sort"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

const module = `package weft

about contains rule if {
	some key in input.keys
	some group in input.groups
	some rule in data.rules[key][group]
}

applies contains rule if {
	some rule in about
	not rule.purpose
}

applies contains rule if {
	some rule in about
	rule.purpose == input.purpose
}

deny := [rule.name | some rule in applies; rule.effect == "deny"]
allow := [rule.name | some rule in applies; rule.effect == "allow"]
filter := [rule.name | some rule in applies; rule.effect == "filter"]

masked contains [column, rule.mask] if {
	some rule in applies
	rule.effect == "mask"
	some column in data.columns[input.port][rule.columns]
}

mask[column] := strongest if {
	some [column, _] in masked
	strongest := max([action | some [other, action] in masked; other == column])
}

answer := {"deny": deny, "allow": allow, "filter": filter, "mask": mask}
`

type line struct {
	Input  any            `json:"input"`
	Answer map[string]any `json:"answer"`
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "opa:", err)
		os.Exit(1)
	}
}

func sorted(list any) []string {
	names := []string{}
	for _, name := range list.([]any) {
		names = append(names, name.(string))
	}
	sort.Strings(names)
	return names
}

func same(ours map[string]any, theirs map[string]any) bool {
	for _, names := range []string{"deny", "allow", "filter"} {
		if !reflect.DeepEqual(sorted(ours[names]), sorted(theirs[names])) {
			return false
		}
	}
	one, _ := json.Marshal(ours["mask"])
	other, _ := json.Marshal(theirs["mask"])
	return string(one) == string(other)
}

func main() {
	ctx := context.Background()
	folder := os.Args[1]
	bytes, err := os.ReadFile(folder + "/data.json")
	must(err)
	var data map[string]any
	must(json.Unmarshal(bytes, &data))
	store := inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(true))
	query, err := rego.New(rego.Query("answer = data.weft.answer"), rego.Module("weft.rego", module), rego.Store(store)).PrepareForEval(ctx)
	must(err)

	file, err := os.Open(folder + "/questions.jsonl")
	must(err)
	scanner := bufio.NewScanner(file)
	scanner.Buffer(make([]byte, 1<<20), 1<<20)
	var inputs []ast.Value
	for scanner.Scan() {
		var question line
		must(json.Unmarshal(scanner.Bytes(), &question))
		input, err := ast.InterfaceToValue(question.Input)
		must(err)
		inputs = append(inputs, input)
		results, err := query.Eval(ctx, rego.EvalParsedInput(input))
		must(err)
		if answer := results[0].Bindings["answer"].(map[string]any); !same(question.Answer, answer) {
			must(fmt.Errorf("another answer to %v: %v, not %v", question.Input, answer, question.Answer))
		}
	}
	micros := make([]float64, 0, 5*len(inputs))
	began := time.Now()
	for time.Since(began) < 5*time.Second {
		for _, input := range inputs {
			asked := time.Now()
			_, err := query.Eval(ctx, rego.EvalParsedInput(input))
			must(err)
			micros = append(micros, float64(time.Since(asked).Nanoseconds())/1000)
		}
	}
	seconds := time.Since(began).Seconds()
	sort.Float64s(micros)
	fmt.Printf("decide.opa.p50 us %.4g\ndecide.opa.p99 us %.4g\ndecide.opa.rate 1/s %.6g\n", micros[len(micros)/2], micros[len(micros)*99/100], float64(len(micros))/seconds)
}
