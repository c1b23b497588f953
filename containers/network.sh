# What a sidecar's scripts ask of the network that they share with an app.

# Whether something listens on a port, also while it is paused.
listens() {
  grep -q ":$(printf %04X "$1") 00000000:0000 0A" /proc/net/tcp
}

# The address of this pod from which a name is reached; fails while nobody has the name.
address_towards() {
  peer=$(nslookup -type=a "$1" 2> /dev/null | sed -n 's/^Address: *\([0-9.]*\)$/\1/p' | tail -n 1)
  [ -n "$peer" ] && ip route get "$peer" | sed -n 's/.* src \([0-9.]*\).*/\1/p' | grep .
}
