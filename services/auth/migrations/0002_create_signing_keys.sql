-- The private half is sealed (AES-256-GCM). A key is
-- published from its row's first moment on, signs from `signs_from` until the next one does, and goes with `gone_at`.
create table signing_keys (
  kid        text primary key,
  public_key jsonb not null,
  sealed     text not null,
  created_at timestamptz not null default clock_timestamp(),
  signs_from timestamptz not null,
  gone_at    timestamptz
);
comment on table signing_keys is 'no tenant: a key signs for the issuer, whose tokens name their tenant';
