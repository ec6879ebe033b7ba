"""What runs in GIMP's own Python: standard library, gi and `server.protocol` only."""
