-- One row for each shipped order, for ever; there is a text once it was added.
create table field_notes (
  tenant     text not null,
  order_id   text not null,
  state      text not null default 'none' check (state in ('none', 'awaited', 'added')),
  text       text,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (tenant, order_id),
  check ((state = 'added') = (text is not null))
);
