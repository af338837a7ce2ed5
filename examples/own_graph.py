"""A graph of one's own, built from the negotiation's nodes: propose, check, and no argument at all.

The nodes are small coroutine functions; a method (here question and answer over a passage) gives them their
prompts, and the context gives them models and verifiers.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import cast

from langgraph.graph import END, START, StateGraph

import symposia
from symposia.contracts import ChatRequest, SeatedVerifier
from symposia.llm import Budget, Ledger, Seating
from symposia.records import RoleSpec
from symposia_graphs import QaParams, nodes
from symposia_graphs.qa import qa_method
from symposia_graphs.state import NegotiateState, opening, record

PASSAGE = "The kestrel hovers by flying into the wind at the wind's own speed. It hunts voles in open grassland."


def teacher(request: ChatRequest) -> str:
    """Stand in for a model, so that the example runs offline."""
    return json.dumps(
        {
            "quote": "The kestrel hovers by flying into the wind at the wind's own speed.",
            "question": "How does the kestrel hover in one place?",
            "answer": "The kestrel hovers by flying into the wind at the wind's own speed.",
        }
    )


async def main() -> None:
    """Draft one sample, verify it, and print what was said and found."""
    method = qa_method(QaParams())
    graph = StateGraph(NegotiateState, context_schema=symposia.NegotiateContext)
    graph.add_node("propose", nodes.propose(method))
    graph.add_node("check", nodes.screen)
    graph.add_edge(START, "propose")
    graph.add_edge("propose", "check")
    graph.add_edge("check", END)
    app = graph.compile()

    with tempfile.TemporaryDirectory() as folder:
        bench = symposia.Workbench(symposia.Host(), Path(folder))
        ledger = await Ledger.open(Path(folder) / "ledger.sqlite")
        seating = Seating(bench, ledger, run="example", run_seed=0, in_flight=1, budget=Budget())
        spec = RoleSpec(model="scripted/teacher", backend_params={"script": f"{Path(__file__).resolve()}:teacher"})
        context = symposia.NegotiateContext(
            roles={"teacher": await seating.seat("teacher", spec)},
            verifiers=[SeatedVerifier(bench.build("verifier", "grounded", {}), required=True, params_hash="")],
        )
        ticket = symposia.Ticket(task=symposia.Task(number=0, seed={"passage": PASSAGE}))
        final = await app.ainvoke(opening(ticket), context=context)
        await seating.close()
        await ledger.close()

    negotiation = record(cast(NegotiateState, final), "own")
    for draft in negotiation.drafts:
        print(f"draft {draft.round}: {draft.payload['question']} - {draft.payload['answer']}")
    for verdict in negotiation.verdicts:
        print(f"{verdict.verifier}: {verdict.status} - {verdict.evidence.summary}")


if __name__ == "__main__":
    asyncio.run(main())
