-- One row a key, for ever: it is there (as `none`) from the first request on, so that it can be locked.
-- Requests are counted only for cards whose behaviour depends on it.
create table charges (
  key                text primary key,
  state              text not null default 'none' check (state in ('none', 'captured', 'declined', 'voided', 'refunded')),
  amount             bigint check (amount >= 0),
  currency           text,
  reason             text,
  requests           integer not null default 0,
  first_requested_at timestamptz,
  created_at         timestamptz not null default clock_timestamp(),
  updated_at         timestamptz not null default clock_timestamp()
);

-- Append-only: every movement of money, +amount for a charge and -amount for its refund, at most one of each a key.
create table entries (
  id         bigint generated always as identity primary key,
  key        text not null references charges (key),
  kind       text not null check (kind in ('charge', 'refund')),
  amount     bigint not null check ((kind = 'charge' and amount >= 0) or (kind = 'refund' and amount <= 0)),
  currency   text not null,
  entered_at timestamptz not null default clock_timestamp(),
  unique (key, kind)
);
