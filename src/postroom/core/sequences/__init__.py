"""Sequences and enrolments: not built yet."""
