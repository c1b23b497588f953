comment on table charges is 'no tenant: the bank is a stand-in for an outside one, which knows none of ours';
comment on table entries is 'no tenant: the bank is a stand-in for an outside one, which knows none of ours';
