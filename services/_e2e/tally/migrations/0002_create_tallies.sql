-- `versions` in the order in which they came.
create table tallies (
  tenant   text not null,
  order_id text not null,
  events   integer not null,
  versions integer[] not null,
  primary key (tenant, order_id)
);
