package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas holds the JSON Schema of every type of event.
type schemas map[string]*jsonschema.Schema

func loadSchemas(folder string) (schemas, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no event schemas in %s: %w", folder, err)
	}
	compiler := jsonschema.NewCompiler()
	found := schemas{}
	for _, file := range files {
		schema, err := compiler.Compile(file)
		if err != nil {
			return nil, err
		}
		found[strings.TrimSuffix(filepath.Base(file), ".json")] = schema
	}
	return found, nil
}

// check holds an event against the schema of its type.
func (s schemas) check(eventType string, text []byte) error {
	schema := s[eventType]
	if schema == nil {
		return fmt.Errorf("no contract has events of type %s", eventType)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// loadCallers reads from the service's own OpenAPI document which services each method is open to.
func loadCallers(file string) (map[string][]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var document struct {
		Paths map[string]struct {
			Post struct {
				Callers []string `json:"x-callers"`
			}
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	callers := map[string][]string{}
	for path, methods := range document.Paths {
		callers[path] = methods.Post.Callers
	}
	return callers, nil
}
