"""The webhook service: deliveries in, one after another, each finished exactly once."""
