"""Whether the house stands: for load balancers, for people, for Prometheus."""
