-- Append-only; the truth about every order. Two writers at once meet in the primary key.
create table order_events (
  tenant   text not null,
  order_id text not null,
  version  integer not null check (version >= 1),
  type     text not null,
  data     jsonb not null,
  at       timestamptz not null,
  primary key (tenant, order_id, version)
);

-- The read model: a fold of order_events, written in the same transaction; can be rebuilt by replay.
create table orders (
  tenant        text not null,
  id            text not null unique,
  customer_id   text not null,
  state         text not null,
  version       integer not null,
  items         jsonb not null,
  total_amount  bigint not null check (total_amount >= 0),
  currency      text not null,
  payment_token text not null,
  allocation    jsonb,
  history       jsonb not null,
  created_at    timestamptz not null,
  primary key (tenant, id)
);
create index orders_by_customer on orders (tenant, customer_id, created_at desc, id desc);
create index orders_by_time on orders (tenant, created_at desc, id desc);
create index orders_by_state on orders (state) where state not in ('shipped', 'rejected', 'payment-failed', 'cancelled');

-- Our own copy of the catalog's prices, so that placing an order waits for no other service. A retired product keeps
-- its row: without it a late price would revive the product.
create table prices (
  tenant     text not null,
  product_id text not null,
  name       text not null,
  amount     bigint not null,
  currency   text not null,
  version    integer not null,
  retired    boolean not null,
  primary key (tenant, product_id)
);
