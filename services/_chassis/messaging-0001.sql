-- The tables that every service with events has. Included by the service's own first migration.

-- Append-only: the log of everything this service has said. A reader's cursor is (transaction_id, position), taken only
-- below the oldest open transaction, so that a row committed late is never skipped.
create table outbox (
  position       bigint generated always as identity primary key,
  transaction_id xid8 not null default pg_current_xact_id(),
  id             text not null unique,
  tenant         text not null,
  topic          text not null,
  type           text not null,
  subject        text not null,
  envelope       json not null,
  created_at     timestamptz not null default clock_timestamp()
);
create index outbox_by_cursor on outbox (topic, transaction_id, position);
create index outbox_by_subject on outbox (subject);

-- One row an event: pending (failed, with budget left), handled, or failed for good (the dead letter, with its cause).
create table inbox (
  source      text not null,
  id          text not null,
  tenant      text not null,
  topic       text not null,
  type        text not null,
  subject     text not null,
  status      text not null check (status in ('pending', 'handled', 'failed')),
  attempts    integer not null default 0,
  cause       text,
  envelope    json,
  received_at timestamptz not null default clock_timestamp(),
  primary key (source, id)
);
create index inbox_unhandled on inbox (status, received_at) where status <> 'handled';

create table catch_up_cursors (
  source       text not null,
  topic        text not null,
  cursor       text not null default '0:0',
  leased_until timestamptz not null default '-infinity',
  primary key (source, topic)
);

-- Things to do at a time, for a state of their subject; leased by any replica.
create table due_work (
  kind         text not null,
  subject      text not null,
  tenant       text not null,
  state        text not null,
  due_at       timestamptz not null,
  leased_until timestamptz not null default '-infinity',
  attempts     integer not null default 0,
  traceparent  text,
  primary key (kind, subject)
);
create index due_work_by_time on due_work (kind, due_at);

create table idempotency_keys (
  tenant       text not null,
  caller       text not null,
  key          text not null,
  request_hash text not null,
  answer       text not null,
  created_at   timestamptz not null default clock_timestamp(),
  primary key (tenant, caller, key)
);
