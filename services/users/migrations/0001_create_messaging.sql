\ir ../../_chassis/messaging-0001.sql
