"""Rerank and score: a query against documents, a text against texts."""

from __future__ import annotations

from epp.openai import prompt
from epp.openai.body import Body
from epp.openai.content import Content, content_text
from epp.openai.invalid import Invalid, missing


class RerankBody(Body):
    """Documents to be put in the order in which they answer a query."""

    query: Content = None
    documents: Content = None

    def text(self) -> str | Invalid:
        """Return the query, then the documents."""
        if self.query is None:
            return missing("query")
        return prompt.separate([content_text(self.query), content_text(self.documents)])


class ScoreBody(Body):
    """Pairs of texts; which names they go by depends on the server's version."""

    text_1: Content = None
    data_1: Content = None
    queries: Content = None
    text_2: Content = None
    data_2: Content = None
    documents: Content = None
    items: Content = None

    def text(self) -> str | Invalid:
        """Return the first sides, then the second ones."""
        first = (self.text_1, self.data_1, self.queries)
        second = (self.text_2, self.data_2, self.documents, self.items)
        sides = [side for side in first + second if side is not None]
        return prompt.separate([content_text(side) for side in sides])
