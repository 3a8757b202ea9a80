"""Values of lists and categories."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListTerms:
    """What a list is called and how people come onto it; empty words of a confirmation mean ours."""

    name: str
    description: str = ""
    is_public: bool = False
    is_double_opt_in: bool = False
    confirm_subject: str = ""
    confirm_text: str = ""
