-- What oidc-provider keeps, sealed; `id` is the SHA-256 of what the client holds, so that nobody can use what he reads here.
create table oidc_payloads (
  model       text not null,
  id          text not null,
  sealed      text not null,
  account_id  text,
  grant_id    text,
  uid         text,
  expires_at  timestamptz,
  consumed_at timestamptz,
  primary key (model, id)
);
comment on table oidc_payloads is 'no tenant: a session is found before any tenant is known, and may be of several';
create index oidc_payloads_by_grant on oidc_payloads (grant_id) where grant_id is not null;
create index oidc_payloads_by_account on oidc_payloads (account_id) where account_id is not null;
create index oidc_payloads_by_uid on oidc_payloads (model, uid) where uid is not null;
create index oidc_payloads_by_expiry on oidc_payloads (expires_at);

-- `acts_in` (a tenant) and `roles` are what a client's own tokens say. `metadata` is RFC 7591's; `{public-url}` in it is the environment's.
create table oauth_clients (
  id          text primary key,
  acts_in     text not null,
  secret_hash text,
  first_party boolean not null,
  roles       text[] not null default '{}',
  metadata    jsonb not null
);
comment on table oauth_clients is 'no tenant: a client is found before any tenant is known';
