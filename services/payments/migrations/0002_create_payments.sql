-- One row an order, for ever; a tombstone (voided before it was requested) has no amount and no token.
create table payments (
  order_id      text primary key,
  tenant        text not null,
  state         text not null default 'none' check (state in (
    'none', 'charging-unsent', 'charging-sent', 'captured', 'declined', 'reversing', 'refunded', 'voided')),
  amount        bigint check (amount >= 0),
  currency      text,
  payment_token text,
  created_at    timestamptz not null default clock_timestamp(),
  updated_at    timestamptz not null default clock_timestamp()
);
create index payments_open on payments (state) where state in ('charging-unsent', 'charging-sent', 'reversing');
