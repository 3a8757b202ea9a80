"""Forms in the house's style: Django's fields, Tabler's looks."""

from django import forms


class HouseForm(forms.Form):
    """A form whose widgets carry the classes of our style sheet."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", _css_class(field.widget))

    def add_question(self, name: str, field: forms.Field) -> None:
        """Ask for something that is known only when the form is shown."""
        field.widget.attrs.setdefault("class", _css_class(field.widget))
        self.fields[name] = field


def _css_class(widget: forms.Widget) -> str:
    if isinstance(widget, forms.CheckboxInput | forms.CheckboxSelectMultiple | forms.RadioSelect):
        return "form-check-input"
    if isinstance(widget, forms.Select):
        return "form-select"
    return "form-control"
