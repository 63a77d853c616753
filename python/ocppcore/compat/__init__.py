"""Bridges from other OCPP stacks to ocppcore. Importing ocppcore loads none of them."""
