"""Rules, flows, scripts: not built yet."""
