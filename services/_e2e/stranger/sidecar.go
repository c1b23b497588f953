package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// sidecar is Dapr's HTTP API as far as it is used here.
type sidecar struct {
	base, token string
	client      *http.Client
}

func newSidecar(port, token string) *sidecar {
	return &sidecar{"http://127.0.0.1:" + port + "/v1.0", token, &http.Client{Timeout: 5 * time.Second}}
}

// ask sends a request and gives the status; what comes back is decoded into answer, if there is one.
func (s *sidecar) ask(ctx context.Context, method, path string, body, answer any) (int, error) {
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return 0, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, s.base+path, &text)
	if err != nil {
		return 0, err
	}
	request.Header.Set("dapr-api-token", s.token)
	request.Header.Set("content-type", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if answer != nil && response.StatusCode == http.StatusOK {
		err = json.NewDecoder(response.Body).Decode(answer)
	}
	return response.StatusCode, err
}

func (s *sidecar) isHealthy(ctx context.Context) bool {
	status, err := s.ask(ctx, http.MethodGet, "/healthz/outbound", nil, nil)
	return err == nil && status == http.StatusNoContent
}

func (s *sidecar) waitUntilHealthy(ctx context.Context) error {
	for !s.isHealthy(ctx) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

func (s *sidecar) secret(ctx context.Context, name string) (string, error) {
	var found map[string]string
	status, err := s.ask(ctx, http.MethodGet, "/secrets/secretstore/"+name, nil, &found)
	if err == nil && found[name] == "" {
		err = fmt.Errorf("no secret %s (%d)", name, status)
	}
	return found[name], err
}

// publish hands events of one topic to the broker. What it does not take is left to the consumers' catch-up.
func (s *sidecar) publish(ctx context.Context, topic string, events []event) error {
	type entry struct {
		EntryID     string `json:"entryId"`
		ContentType string `json:"contentType"`
		Event       any    `json:"event"`
	}
	entries := make([]entry, len(events))
	for i, event := range events {
		entries[i] = entry{event.ID, "application/cloudevents+json", struct {
			event2
			DataContentType string `json:"datacontenttype"`
			TraceID         string `json:"traceid"`
		}{event2(event), "application/json", event.Traceparent}}
	}
	status, err := s.ask(ctx, http.MethodPost, "/publish/bulk/pubsub/"+topic, entries, nil)
	if err == nil && status >= 300 {
		err = fmt.Errorf("publishing on %s was answered %d", topic, status)
	}
	return err
}
