"""The DNS records of a domain: which ones, what is published instead, and the zone file. Values in, values out."""
