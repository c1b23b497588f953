package main

import (
	"context"
	"time"

	"github.com/lib/pq"
)

// catchUp compares our inbox with the outbox of orders, and handles what is missing.
type catchUp struct {
	messages      *messaging
	orders        *orders
	source, topic string
	grace         time.Duration // young events are left to the broker
}

const pageSize, readSize = 500, 50

// tick tries what failed again, then follows the log as far as it can.
func (c *catchUp) tick(ctx context.Context) error {
	if err := c.redrive(ctx); err != nil {
		return err
	}
	for more := true; more; {
		var err error
		if more, err = c.page(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *catchUp) redrive(ctx context.Context) error {
	rows, err := c.messages.db.QueryContext(ctx,
		"select envelope from inbox where status = 'pending' and envelope is not null order by received_at limit 100")
	if err != nil {
		return err
	}
	defer rows.Close()
	var pending [][]byte
	for rows.Next() {
		var text []byte
		if err := rows.Scan(&text); err != nil {
			return err
		}
		pending = append(pending, text)
	}
	for _, text := range pending {
		if e, ok := readEvent(text); ok {
			c.messages.take(ctx, text, e)
		}
	}
	return rows.Err()
}

// page handles one page. The cursor moves only over events that the inbox holds as handled or failed.
func (c *catchUp) page(ctx context.Context) (more bool, err error) {
	db := c.messages.db
	cursor := "0:0"
	err = db.QueryRowContext(ctx,
		`insert into catch_up_cursors as c (source, topic) values ($1, $2)
		 on conflict (source, topic) do update set topic = excluded.topic returning cursor`, c.source, c.topic).Scan(&cursor)
	if err != nil {
		return false, err
	}
	events, err := c.orders.listEvents(ctx, c.topic, cursor, pageSize)
	if err != nil || len(events) == 0 {
		return false, err
	}
	if err := c.fetch(ctx, events); err != nil {
		return false, err
	}
	finished, err := c.finished(ctx, events)
	if err != nil {
		return false, err
	}
	passed := 0
	for passed < len(events) && finished[events[passed].ID] {
		cursor = events[passed].Cursor
		passed++
	}
	_, err = db.ExecContext(ctx, "update catch_up_cursors set cursor = $3 where source = $1 and topic = $2", c.source, c.topic, cursor)
	return passed == pageSize, err
}

// fetch handles what the inbox lacks and the broker has had time to bring.
func (c *catchUp) fetch(ctx context.Context, events []loggedEvent) error {
	finished, err := c.finished(ctx, events)
	if err != nil {
		return err
	}
	var missing []string
	for _, e := range events {
		if !finished[e.ID] && e.AgeMs >= float64(c.grace.Milliseconds()) {
			missing = append(missing, e.ID)
		}
	}
	for len(missing) > 0 {
		n := min(readSize, len(missing))
		texts, err := c.orders.readEvents(ctx, missing[:n])
		if err != nil {
			return err
		}
		for _, text := range texts {
			if e, ok := readEvent([]byte(text)); ok {
				c.messages.take(ctx, []byte(text), e)
			}
		}
		missing = missing[n:]
	}
	return nil
}

// finished tells which of these the inbox holds as handled or failed.
func (c *catchUp) finished(ctx context.Context, events []loggedEvent) (map[string]bool, error) {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	rows, err := c.messages.db.QueryContext(ctx,
		"select id from inbox where source = $1 and id = any($2) and status <> 'pending'", c.source, pq.Array(ids))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		found[id] = true
	}
	return found, rows.Err()
}
