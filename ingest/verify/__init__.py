"""`lake verify`: what the broker sent, what bronze holds and what gold says, compared without the ingester's code.

Broker and bronze are compared as sets of (epoch, partition, offset) with hashes of what each record is; gold is
compared with a recomputation in SQL on Trino. Everything is read at one cut, so a running stream does not disturb it.
"""
