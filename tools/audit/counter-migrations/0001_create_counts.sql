\ir ../../../services/_chassis/messaging-0001.sql

create table counts (
  order_id text primary key,
  events   integer not null
);
