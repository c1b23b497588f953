-- Nobody changes the ledger: the service may add to it and read it.
comment on table movements is 'append-only';
