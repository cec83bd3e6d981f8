"""Objects that a notebook shows as pictures."""

from html import escape

from oaa_mm.registry import VIEWS


class ShownInNotebooks:
    """Shows itself as pictures where a notebook displays it.

    Attributes:
        view (str): Name of the function in
            :data:`oaa_mm.registry.VIEWS` that draws the object as HTML.
    """

    view: str

    def _repr_html_(self) -> str:
        """Draw the object.

        Returns:
            str: HTML; the reason where it cannot be drawn, since a notebook
            should not stop there.
        """
        try:
            return VIEWS.get(self.view)(self)
        except Exception as error:
            reason = f'{type(error).__name__}: {error}'
            name = type(self).__name__
            return f'<p>{name} cannot be drawn. {escape(reason)}</p>'
