#!/bin/bash
# Whether an app is ready. One whose pod has been started anew is left behind in a network namespace that nothing reaches: it
# ends, and docker starts it again in the new one. At once: it has lost its connections, and could finish nothing.
if [ -n "${POD:-}" ] && [ "$(readlink /proc/self/ns/net)" != "$(cat "/run/pods/$POD")" ]; then
  echo "the pod $POD has a new network namespace: leaving" > /proc/1/fd/2
  kill -9 $(cat /proc/1/task/1/children)
  exit 1
fi
# A process of 17 ms; one of Node takes 80.
exec 3<> "/dev/tcp/127.0.0.1/$OPS_PORT" && printf 'GET /healthz/ready HTTP/1.0\r\n\r\n' >&3
IFS= read -r -t 3 line <&3 && [[ $line == *' 200 '* ]]
