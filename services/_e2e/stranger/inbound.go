package main

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

// inbound is the app port: what our own sidecar, and nobody else, asks and brings.
type inbound struct {
	token    string
	callers  map[string][]string
	messages *messaging
	health   *health
}

func (in *inbound) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dapr/subscribe", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, []map[string]string{{
			"pubsubname": "pubsub", "topic": requestsTopic, "route": "/events/" + requestsTopic,
			"deadLetterTopic": service + ".dead-letters",
		}})
		in.health.subscribed.Store(true)
	})
	mux.HandleFunc("POST /events/"+requestsTopic, in.deliver)
	mux.HandleFunc("POST /listEvents", in.method(in.listEvents))
	mux.HandleFunc("POST /readEvents", in.method(in.readEvents))
	mux.HandleFunc("POST /getHealth", in.method(in.getHealth))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("dapr-api-token")), []byte(in.token)) != 1 {
			http.Error(w, "not from the sidecar", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (in *inbound) deliver(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("dapr-caller-app-id") != "" { // a delivery has no caller: some service made this one up
		http.Error(w, "events come from the broker only", http.StatusForbidden)
		return
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	e, ok := readEvent(text)
	if err != nil || !ok {
		slog.Error("message without a readable envelope dropped")
		answer(w, map[string]string{"status": "DROP"})
		return
	}
	answer(w, map[string]outcome{"status": in.messages.take(r.Context(), text, e)})
}

type kind map[string]any

// method wraps what all methods have in common: who may call, until when, and that only our own failure is an error.
func (in *inbound) method(work func(context.Context, json.RawMessage) (kind, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(in.callers[r.URL.Path], r.Header.Get("dapr-caller-app-id")) {
			http.Error(w, "this caller is not listed", http.StatusForbidden)
			return
		}
		ctx := r.Context()
		if deadline, err := strconv.ParseInt(r.Header.Get("x-deadline"), 10, 64); err == nil {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, time.UnixMilli(deadline))
			defer cancel()
		}
		var request json.RawMessage
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 256<<10)).Decode(&request); err != nil {
			http.Error(w, "not JSON", http.StatusBadRequest)
			return
		}
		result, err := work(ctx, request)
		switch {
		case ctx.Err() == context.DeadlineExceeded:
			answer(w, kind{"kind": "deadline-passed"})
		case err != nil:
			slog.Error("method failed", "path", r.URL.Path, "error", err)
			http.Error(w, "internal", http.StatusInternalServerError)
		case result == nil:
			http.Error(w, "not a request of the contract", http.StatusBadRequest)
		default:
			answer(w, result)
		}
	}
}

var cursorPattern = regexp.MustCompile(`^(\d{1,19}):(\d{1,18})$`)

// listEvents shows what is older than every open transaction: an id that is drawn early may be committed late.
func (in *inbound) listEvents(ctx context.Context, text json.RawMessage) (kind, error) {
	var request struct {
		Topic, After string
		Limit        int
	}
	if json.Unmarshal(text, &request) != nil || request.Limit < 1 || request.Limit > 1_000 {
		return nil, nil
	}
	after := cursorPattern.FindStringSubmatch(request.After)
	if after == nil {
		return nil, nil
	}
	rows, err := in.messages.db.QueryContext(ctx,
		`select json_build_object('id', id, 'cursor', transaction_id::text || ':' || position,
		          'ageMs', extract(epoch from clock_timestamp() - created_at) * 1000)
		   from outbox
		  where topic = $1 and (transaction_id, position) > ($2::text::xid8, $3::bigint)
		    and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
		  order by transaction_id, position limit $4`,
		request.Topic, after[1], after[2], request.Limit)
	if err != nil {
		return nil, err
	}
	events, err := texts(rows)
	return kind{"kind": "events", "events": raw(events)}, err
}

func (in *inbound) readEvents(ctx context.Context, text json.RawMessage) (kind, error) {
	var request struct{ IDs []string }
	if json.Unmarshal(text, &request) != nil || len(request.IDs) < 1 || len(request.IDs) > 100 {
		return nil, nil
	}
	rows, err := in.messages.db.QueryContext(ctx,
		"select envelope::text from outbox where id = any($1) order by transaction_id, position", pq.Array(request.IDs))
	if err != nil {
		return nil, err
	}
	envelopes, err := texts(rows)
	return kind{"kind": "envelopes", "envelopes": envelopes}, err
}

func (in *inbound) getHealth(ctx context.Context, _ json.RawMessage) (kind, error) {
	status := "healthy"
	if !in.health.isReady(ctx) {
		status = "unhealthy"
	}
	return kind{"kind": "health", "status": status}, nil
}

func texts(rows *sql.Rows) ([]string, error) {
	defer rows.Close()
	found := []string{}
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		found = append(found, text)
	}
	return found, rows.Err()
}

func raw(texts []string) []json.RawMessage {
	values := make([]json.RawMessage, len(texts))
	for i, text := range texts {
		values[i] = json.RawMessage(text)
	}
	return values
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("content-type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		slog.Warn("answer not sent", "error", err)
	}
}

// health is whether the service can do its work now.
type health struct {
	sidecar    *sidecar
	database   *sql.DB
	subscribed atomic.Bool
}

func (h *health) isReady(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return h.subscribed.Load() && h.sidecar.isHealthy(ctx) && h.database.PingContext(ctx) == nil
}

func (h *health) opsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz/live", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /healthz/ready", func(w http.ResponseWriter, r *http.Request) {
		if !h.isReady(r.Context()) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	return mux
}
