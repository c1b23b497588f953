-- A person, in the tenant that is home to all of them; in others he is a member. A declined or erased one keeps its row
-- as a tombstone, without what it said: an event that comes late must not bring it back. `position` is the order of pages.
create table profiles (
  tenant      text not null,
  id          text not null,
  position    bigint generated always as identity,
  state       text not null check (state in ('verified', 'invited', 'active', 'declined', 'erased')),
  name        text,
  email       text,
  addresses   jsonb not null default '[]',
  preferences jsonb not null default '{}',
  version     integer not null check (version >= 1),
  created_at  timestamptz not null default clock_timestamp(),
  primary key (tenant, id),
  check ((name is not null) = (state in ('invited', 'active', 'declined'))),
  check ((email is not null) = (state in ('invited', 'active')))
);
create unique index profiles_listed on profiles (tenant, position) where state in ('invited', 'active');

create table tenants (
  tenant     text primary key,
  name       text not null,
  created_at timestamptz not null default clock_timestamp()
);

-- Whoever was removed keeps his row, for its version: he may be asked in again.
create table memberships (
  tenant     text not null references tenants,
  id         text not null,
  user_id    text not null,
  roles      text[] not null,
  version    integer not null check (version >= 1),
  revoked_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant, id),
  unique (tenant, user_id)
);

create table whereabouts (
  user_id   text not null,
  member_of text not null,
  primary key (user_id, member_of)
);
comment on table whereabouts is
  'no tenant: where a person is or was a member; what he is there is for each tenant''s own rows to say';

-- Of the token only its hash; the token itself is in the mail. Accepted or expired, a row is gone.
create table invitations (
  tenant     text not null references tenants,
  id         text not null,
  token_hash text not null,
  email      text not null,
  roles      text[] not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant, id)
);

create table exports (
  tenant       text not null,
  id           text not null,
  user_id      text not null,
  -- The tenants whose services were asked.
  asked        text[] not null,
  requested_at timestamptz not null default clock_timestamp(),
  due_at       timestamptz not null,
  primary key (tenant, id)
);
create index exports_by_person on exports (tenant, user_id);

-- What services answered, one row an event; `of_tenant` is the tenant that it is about.
create table export_parts (
  tenant    text not null,
  export_id text not null,
  event_id  text not null,
  service   text not null,
  of_tenant text not null,
  data      jsonb not null,
  at        timestamptz not null default clock_timestamp(),
  primary key (tenant, export_id, event_id),
  foreign key (tenant, export_id) references exports on delete cascade
);

comment on table outbox is 'append-only but for envelope: an erasure takes a person out of what was said';
comment on table idempotency_keys is 'append-only but for answer: an erasure takes a person out of what was answered';
