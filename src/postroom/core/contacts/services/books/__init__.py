"""Writes of lists as programs keep them: contact books, and what is said of the people in them."""

from postroom.core.contacts.services.books.changing import change_book_contact, remove_book_contacts
from postroom.core.contacts.services.books.putting import put_book_contacts
from postroom.core.contacts.services.books.terms import change_book, create_book

__all__ = [
    "change_book",
    "change_book_contact",
    "create_book",
    "put_book_contacts",
    "remove_book_contacts",
]
