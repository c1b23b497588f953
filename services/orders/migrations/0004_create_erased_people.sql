-- People who are no more: a token of theirs may still be good for some minutes, and orders nothing with it.
create table erased_people (
  tenant  text not null,
  user_id text not null,
  at      timestamptz not null default clock_timestamp(),
  primary key (tenant, user_id)
);
