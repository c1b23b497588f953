package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// shipping is what fulfillment does: one row an order, moved on by whoever finds the state that he is for.
type shipping struct {
	messages   *messaging
	pick, pack time.Duration
}

// order is one row of fulfillments, locked.
type order struct {
	id, tenant, state string
	lines             json.RawMessage
}

// open makes sure that the order has a row, and locks it: a row that is not there cannot be locked.
func open(ctx context.Context, tx *transaction, e event) (order, error) {
	o := order{id: e.Subject, tenant: e.Tenant}
	_, err := tx.ExecContext(ctx,
		"insert into fulfillments (order_id, tenant) values ($1, $2) on conflict do nothing", o.id, o.tenant)
	if err != nil {
		return o, err
	}
	err = tx.QueryRowContext(ctx,
		"select state from fulfillments where order_id = $1 and tenant = $2 for update", o.id, o.tenant).Scan(&o.state)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("order %s belongs to another tenant", o.id)
	}
	return o, err
}

// requested begins to pick, unless the withdrawal was here first.
func (s *shipping) requested(ctx context.Context, tx *transaction, e event) error {
	var data struct{ Lines json.RawMessage }
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return err
	}
	o, err := open(ctx, tx, e)
	switch {
	case err != nil:
		return err
	case o.state == "cancelled":
		return nil
	case o.state != "none":
		return fmt.Errorf("order %s is requested, and already %s", o.id, o.state)
	}
	_, err = tx.ExecContext(ctx,
		"update fulfillments set state = 'picking', lines = $2, updated_at = clock_timestamp() where order_id = $1",
		o.id, string(data.Lines))
	return err
}

// withdrawn stops an order that has not left, and says so; where it has, the dispatch was the answer. Without a row it
// leaves one, so that the late request finds the order cancelled.
func (s *shipping) withdrawn(ctx context.Context, tx *transaction, e event) error {
	var data struct{ Reason string }
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return err
	}
	o, err := open(ctx, tx, e)
	if err != nil || o.state == "dispatched" || o.state == "cancelled" {
		return err
	}
	if _, err := tx.ExecContext(ctx,
		"update fulfillments set state = 'cancelled', updated_at = clock_timestamp() where order_id = $1", o.id); err != nil {
		return err
	}
	return tx.say("shipment.cancelled", o.id, o.tenant, e.Traceparent, map[string]any{"orderId": o.id, "reason": data.Reason})
}

// work brings every order that is due one step on, each in a transaction of its own.
func (s *shipping) work(ctx context.Context) error {
	for {
		moved := false
		err := s.messages.transact(ctx, func(tx *transaction) (err error) {
			moved, err = s.step(ctx, tx)
			return err
		})
		if err != nil || !moved {
			return err
		}
	}
}

func (s *shipping) step(ctx context.Context, tx *transaction) (bool, error) {
	var o order
	err := tx.QueryRowContext(ctx,
		`select order_id, tenant, state, lines from fulfillments
		  where state = 'picking' and updated_at <= clock_timestamp() - make_interval(secs => $1)
		     or state = 'packed' and updated_at <= clock_timestamp() - make_interval(secs => $2)
		  order by updated_at limit 1 for update skip locked`,
		s.pick.Seconds(), s.pack.Seconds()).Scan(&o.id, &o.tenant, &o.state, &o.lines)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	next := map[string]string{"picking": "packed", "packed": "dispatched"}[o.state]
	if _, err := tx.ExecContext(ctx,
		"update fulfillments set state = $2, updated_at = clock_timestamp() where order_id = $1", o.id, next); err != nil {
		return false, err
	}
	if next == "packed" {
		return true, nil
	}
	if _, err := tx.ExecContext(ctx,
		"insert into shipments (id, tenant, order_id, carrier, tracking_code) values ($1, $2, $3, 'Gopher Express', $3)",
		uuidv7(), o.tenant, o.id); err != nil {
		return false, err
	}
	return true, tx.say("shipment.dispatched", o.id, o.tenant, "", map[string]any{"orderId": o.id, "lines": o.lines})
}
