"""The steps of a negotiation, each a small coroutine function; put them into a graph of your own."""

from symposia_graphs.nodes.admit import admit
from symposia_graphs.nodes.amend import amend
from symposia_graphs.nodes.calls import NegotiateNode
from symposia_graphs.nodes.criticise import criticise, rule
from symposia_graphs.nodes.judge import judge
from symposia_graphs.nodes.propose import propose
from symposia_graphs.nodes.review import review
from symposia_graphs.nodes.revise import revise
from symposia_graphs.nodes.screen import screen
from symposia_graphs.nodes.settle import settle
from symposia_graphs.nodes.verify import verify
from symposia_graphs.nodes.weigh import weigh

__all__ = [
    "NegotiateNode",
    "admit",
    "amend",
    "criticise",
    "judge",
    "propose",
    "review",
    "revise",
    "rule",
    "screen",
    "settle",
    "verify",
    "weigh",
]
