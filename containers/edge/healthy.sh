#!/bin/bash
# Whether nginx answers.
exec 3<> /dev/tcp/127.0.0.1/8081 && printf 'GET /edge/health HTTP/1.0\r\n\r\n' >&3
IFS= read -r -t 2 line <&3 && [[ $line == *' 200 '* ]]
