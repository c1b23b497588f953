# What a sidecar's scripts ask of the network that they share with an app.

# Whether something listens on a port, also while it is paused.
listens() {
  grep -q ":$(printf %04X "$1") 00000000:0000 0A" /proc/net/tcp
}

# Everybody who has a name, a line each. A name that nobody has may take an engine 5 s to deny.
addresses_of() {
  nslookup -type=a "$1" 2> /dev/null | sed -n 's/^Address: *\([0-9.]*\)$/\1/p'
}

# The address of this pod from which a name is reached; fails while nobody has the name.
address_towards() {
  peer=$(addresses_of "$1" | tail -n 1)
  [ -n "$peer" ] && ip route get "$peer" | sed -n 's/.* src \([0-9.]*\).*/\1/p' | grep .
}
