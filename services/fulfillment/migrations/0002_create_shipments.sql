-- One row an order, for ever; a tombstone (cancelled before it was requested) has no lines.
create table fulfillments (
  order_id   text primary key,
  tenant     text not null,
  state      text not null default 'none' check (state in ('none', 'picking', 'packed', 'dispatched', 'cancelled')),
  lines      jsonb not null default '[]',
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);
create index fulfillments_open on fulfillments (state) where state in ('picking', 'packed');

-- One row a parcel that has left: exactly one for each order that was dispatched, none for any other.
create table shipments (
  id            text primary key,
  tenant        text not null,
  order_id      text not null unique references fulfillments (order_id),
  carrier       text not null,
  tracking_code text not null,
  dispatched_at timestamptz not null default clock_timestamp()
);
