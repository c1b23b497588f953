-- A gauge tells of all tenants, and may know no more of them than how many rows there are: as the owner, who sees them.
create function count_open_payments() returns table (state text, count integer)
  language sql stable security definer set search_path = public, pg_temp as $$
    select state, count(*)::integer from payments
     where state in ('charging-unsent', 'charging-sent', 'reversing')
     group by state
  $$;
