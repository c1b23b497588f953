\ir ../../messaging-0001.sql
