"""Asks the name system, over dnspython."""

from postroom.providers.dns.resolver import Resolver, build_resolver

__all__ = ["Resolver", "build_resolver"]
