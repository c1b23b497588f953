-- All accounts are at home, in the tenant `main`. `pending`: may not sign in yet, because nobody has shown that the address is his; `erased`
-- rows hold nothing personal, and keep a late event from bringing anything back. `email_version` is the profile's, of users.
create table accounts (
  tenant        text not null,
  id            text not null,
  email         text,
  email_version integer not null default 0,
  name          text not null default '',
  password_hash text,
  verified      boolean not null default false,
  status        text not null check (status in ('pending', 'active', 'erased')),
  created_at    timestamptz not null default clock_timestamp(),
  primary key (tenant, id)
);
create unique index accounts_by_email on accounts (tenant, email) where email is not null;

-- Which of two events about a membership is the newer; its roles are in role_grants.
create table memberships (
  tenant     text not null,
  id         text not null,
  account_id text not null,
  version    integer not null,
  active     boolean not null,
  primary key (tenant, id)
);
create index memberships_by_account on memberships (tenant, account_id) where active;

create table role_grants (
  tenant     text not null,
  account_id text not null,
  role       text not null,
  granted_by text not null,
  granted_at timestamptz not null default clock_timestamp(),
  primary key (tenant, account_id, role)
);

-- What a link in a mail may do, once and for a while; the link's secret itself is not kept.
create table account_links (
  tenant      text not null,
  secret_hash text not null,
  account_id  text not null,
  purpose     text not null check (purpose in ('verify', 'set-password')),
  expires_at  timestamptz not null,
  primary key (tenant, secret_hash)
);
create index account_links_by_account on account_links (tenant, account_id);

-- How often somebody was wrong of late, by what he came with: a known device, else an address and an account.
create table tries (
  tenant        text not null,
  key           text not null,
  failures      integer not null,
  last_at       timestamptz not null,
  blocked_until timestamptz not null default 'epoch',
  primary key (tenant, key)
);

comment on table outbox is 'append-only but for envelope: an erasure takes a person out of what was said';
