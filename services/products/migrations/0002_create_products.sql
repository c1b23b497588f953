-- `position` is the order of the catalog's pages: it never changes, so that a page's end stays where it was. A retired
-- product keeps its row and its version, or a late reader of an old price could bring it back.
create table products (
  tenant     text not null,
  id         text not null,
  position   bigint generated always as identity,
  name       text not null,
  category   text not null,
  amount     bigint not null check (amount > 0),
  currency   text not null,
  version    integer not null check (version >= 1),
  retired_at timestamptz,
  primary key (tenant, id)
);
create unique index products_listed on products (tenant, position) where retired_at is null;
create unique index products_by_category on products (tenant, category, position) where retired_at is null;
