package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/lib/pq"
)

const (
	requestsTopic = "fulfillment.requests"
	eventsTopic   = "fulfillment.events"
	ordersSource  = "urn:sidecart:orders"
	failureBudget = 10
)

// event is a CloudEvent as every service sends it.
type event struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	Subject     string          `json:"subject"`
	Tenant      string          `json:"tenant"`
	Time        string          `json:"time"`
	Topic       string          `json:"topic"`
	Traceparent string          `json:"traceparent,omitempty"`
	Data        json.RawMessage `json:"data"`
}

// event2 is an event as part of a larger object.
type event2 event

// readEvent gives an event that can be told from others, or false; what it says is not looked at yet.
func readEvent(text []byte) (event, bool) {
	var e event
	err := json.Unmarshal(text, &e)
	return e, err == nil && e.SpecVersion == "1.0" && e.ID != "" && e.Source == ordersSource && e.Type != "" &&
		e.Subject != "" && e.Tenant != "" && e.Topic == requestsTopic
}

// transaction collects what is said in it.
type transaction struct {
	*sql.Tx
	said []event
}

type handler func(ctx context.Context, tx *transaction, event event) error

type outcome string

const (
	handled outcome = "SUCCESS" // now, or before
	again   outcome = "RETRY"
)

// messaging is inbox and outbox: state and messages change in one transaction, or not at all.
type messaging struct {
	db        *sql.DB
	schemas   schemas
	handlers  map[string]handler
	published chan event
}

// take handles an event exactly once, however often and by whatever way it comes. A handler that fails is counted; when
// its budget is spent the row is failed for good, with its cause, and that is the dead letter.
func (m *messaging) take(ctx context.Context, text []byte, e event) outcome {
	err := m.transact(ctx, func(tx *transaction) error {
		var id string
		err := tx.QueryRowContext(ctx,
			`insert into inbox (source, id, tenant, topic, type, subject, status) values ($1, $2, $3, $4, $5, $6, 'handled')
			 on conflict (source, id) do update set status = 'handled', cause = null, envelope = null
			   where inbox.status = 'pending' returning id`,
			e.Source, e.ID, e.Tenant, e.Topic, e.Type, e.Subject).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // a duplicate
		}
		if err != nil {
			return err
		}
		if err := m.schemas.check(e.Type, text); err != nil {
			return err
		}
		if handle := m.handlers[e.Type]; handle != nil {
			return handle(ctx, tx, e)
		}
		return nil
	})
	if err == nil {
		return handled
	}
	slog.Warn("event not handled", "eventId", e.ID, "type", e.Type, "subject", e.Subject, "error", err)
	if isAway(err) {
		return again // the database's fault, not the event's
	}
	var status string
	err = m.db.QueryRowContext(ctx,
		`insert into inbox as i (source, id, tenant, topic, type, subject, status, attempts, cause, envelope)
		 values ($1, $2, $3, $4, $5, $6, 'pending', 1, $7, $8)
		 on conflict (source, id) do update set attempts = i.attempts + 1, cause = $7, envelope = $8,
		   status = case when i.attempts + 1 >= $9 then 'failed' else 'pending' end
		   where i.status = 'pending' returning status`,
		e.Source, e.ID, e.Tenant, e.Topic, e.Type, e.Subject, err.Error(), string(text), failureBudget).Scan(&status)
	if status == "failed" || errors.Is(err, sql.ErrNoRows) {
		return handled
	}
	return again
}

// transact runs work in a transaction, writes what it said into the outbox, and hands that to the relay after the commit.
// Where another transaction was first, work is done again from the start.
func (m *messaging) transact(ctx context.Context, work func(*transaction) error) error {
	for tries := 1; ; tries++ {
		said, err := m.attempt(ctx, work)
		if err == nil {
			for _, e := range said {
				select {
				case m.published <- e:
				default: // too many are waiting: left to the consumers' catch-up
				}
			}
			return nil
		}
		if !isConflict(err) || tries == 8 {
			return err
		}
		time.Sleep(time.Duration(tries) * 5 * time.Millisecond)
	}
}

func (m *messaging) attempt(ctx context.Context, work func(*transaction) error) ([]event, error) {
	inner, err := m.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer inner.Rollback() // of what is not committed
	tx := &transaction{Tx: inner}
	if err := work(tx); err != nil {
		return nil, err
	}
	for _, e := range tx.said {
		text, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		if err := m.schemas.check(e.Type, text); err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx,
			"insert into outbox (id, tenant, topic, type, subject, envelope) values ($1, $2, $3, $4, $5, $6)",
			e.ID, e.Tenant, e.Topic, e.Type, e.Subject, string(text)); err != nil {
			return nil, err
		}
	}
	return tx.said, tx.Commit()
}

// say puts an event of ours into the transaction.
func (tx *transaction) say(name, subject, tenant, traceparent string, data any) error {
	text, err := json.Marshal(data)
	tx.said = append(tx.said, event{
		SpecVersion: "1.0", ID: uuidv7(), Source: "urn:sidecart:" + service, Topic: eventsTopic,
		Type: fmt.Sprintf("com.sidecart.%s.%s.v1", service, name), Subject: subject, Tenant: tenant,
		Time: time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), Traceparent: nextSpan(traceparent), Data: text,
	})
	return err
}

// relay publishes what has been committed, once, in batches.
func (m *messaging) relay(ctx context.Context, sidecar *sidecar) {
	for {
		var batch []event
		select {
		case <-ctx.Done():
			return
		case e := <-m.published:
			batch = append(batch, e)
		}
		for len(batch) < 100 && len(m.published) > 0 {
			batch = append(batch, <-m.published)
		}
		if err := sidecar.publish(ctx, eventsTopic, batch); err != nil {
			slog.Warn("events left to catch-up", "events", len(batch), "error", err)
		}
	}
}

func isConflict(err error) bool {
	var failure *pq.Error
	return errors.As(err, &failure) &&
		(failure.Code == "40001" || failure.Code == "40P01" || failure.Code == "55P03" || failure.Code == "23505")
}

// isAway says that the database, or the way to it, is at fault.
func isAway(err error) bool {
	var failure *pq.Error
	if errors.As(err, &failure) {
		class := failure.Code.Class()
		return isConflict(err) || class == "08" || class == "53" || class == "57" || class == "58" || failure.Code == "25P03"
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, context.Canceled) ||
		errors.Is(err, context.DeadlineExceeded) || err.Error() == "EOF" || err.Error() == "driver: bad connection"
}

// uuidv7 makes an id (RFC 9562) that sorts by time.
func uuidv7() string {
	var b [16]byte
	rand.Read(b[:])
	now := time.Now().UnixMilli()
	for i := range 6 {
		b[i] = byte(now >> (40 - 8*i))
	}
	b[6], b[8] = b[6]&0x0f|0x70, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// nextSpan is a span of our own in the trace of whoever caused it, or in a new trace.
func nextSpan(traceparent string) string {
	var trace, span [16]byte
	rand.Read(trace[:])
	rand.Read(span[:8])
	id := hex.EncodeToString(trace[:])
	if len(traceparent) == 55 {
		id = traceparent[3:35]
	}
	return fmt.Sprintf("00-%s-%x-00", id, span[:8])
}
