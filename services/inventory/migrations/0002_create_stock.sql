-- What each warehouse holds of each product. Units only move between the columns: the last check is that no unit is ever
-- made or lost, whatever the code above does. `received` and `adjusted` say where they came from.
create table stock (
  tenant     text not null,
  product_id text not null,
  warehouse  text not null,
  available  bigint not null default 0 check (available >= 0),
  reserved   bigint not null default 0 check (reserved >= 0),
  shipped    bigint not null default 0 check (shipped >= 0),
  received   bigint not null default 0 check (received >= 0),
  adjusted   bigint not null default 0,
  primary key (tenant, product_id, warehouse),
  constraint stock_adds_up check (received + adjusted = available + reserved + shipped)
);

-- Append-only: every change of a stock row, written in its transaction. `quantity` is negative only in an adjustment.
create table movements (
  position   bigint generated always as identity primary key,
  tenant     text not null,
  product_id text not null,
  warehouse  text not null,
  kind       text not null check (kind in ('receipt', 'adjustment', 'reserve', 'release', 'ship')),
  quantity   bigint not null check (quantity > 0 or (kind = 'adjustment' and quantity < 0)),
  order_id   text check ((order_id is null) = (kind in ('receipt', 'adjustment'))),
  reason     text,
  at         timestamptz not null default clock_timestamp(),
  foreign key (tenant, product_id, warehouse) references stock
);
create index movements_by_stock on movements (tenant, product_id, warehouse, position);
create index movements_by_order on movements (tenant, order_id) where order_id is not null;

-- One row an order. `none` is never committed; `released` without lines is the tombstone of a withdrawal that came first.
create table reservations (
  tenant   text not null,
  order_id text not null,
  state    text not null check (state in ('none', 'reserved', 'refused', 'released', 'shipped')),
  at       timestamptz not null default clock_timestamp(),
  primary key (tenant, order_id)
);

-- What was taken from where; kept when it goes back or out, because the movements refer to it.
create table reservation_lines (
  tenant     text not null,
  order_id   text not null,
  product_id text not null,
  warehouse  text not null,
  quantity   bigint not null check (quantity > 0),
  primary key (tenant, order_id, product_id, warehouse),
  foreign key (tenant, order_id) references reservations
);
