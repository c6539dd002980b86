"""Which answers are edited, and how; and the word about those that cannot be."""

from __future__ import annotations

import logging

from epp.exchange.events import AnswerEdit, Headers
from epp.exchange.modes import BodyMode, Modes
from epp.exchange.response import Editor, StartEditor
from epp.openai.edit import answer_editor
from epp.openai.encodings import is_encoded

_log = logging.getLogger(__name__)

# PARTIAL: what comes after the part that is shown passes unseen, so that nothing can be held.
_NOT_SHOWN = {BodyMode.NONE, BodyMode.BUFFERED_PARTIAL}


class Editing:
    """The editors of one pool. Why an answer is left as it is, is said once for each reason."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def __repr__(self) -> str:
        return f"<Editing, said: {sorted(self._said)}>"

    def start(self, edit: AnswerEdit, modes: Modes) -> StartEditor | None:
        """Return what makes an answer's editor; None: in these modes there can be none."""
        if modes.response in _NOT_SHOWN:
            self._leave(f"its body is not shown: the body mode is {modes.response.name}")
            return None

        def editor(headers: Headers) -> Editor | None:
            if is_encoded(headers.get("content-encoding", "")):
                self._leave("it is compressed")
                return None
            return answer_editor(
                headers.get("content-type", ""), edit.model, hide_usage=edit.hide_usage
            )

        return editor

    def _leave(self, why: str) -> None:
        if why not in self._said:
            self._said.add(why)
            _log.warning("an answer is left as it is", extra={"reason": why})
