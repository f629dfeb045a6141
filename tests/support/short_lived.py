"""Flags for a JVM that lives for minutes: what the second compiler would gain, it costs."""

FAST_START = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=192m"
