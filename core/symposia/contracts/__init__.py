"""The seams: one small async Protocol a file. A plugin implements one and offers it."""

from symposia.contracts.backend import (
    Backend,
    Capabilities,
    ChatReply,
    ChatRequest,
    CompletingBackend,
    EmbeddingBackend,
    JsonSchemaSpec,
    ScoringBackend,
    TokenizingBackend,
    TokenLogprob,
)
from symposia.contracts.critic import Critic
from symposia.contracts.embedder import Embedder, Vectors
from symposia.contracts.evaluator import Evaluator
from symposia.contracts.exporter import Exporter
from symposia.contracts.graph import (
    ConcludeContext,
    Conclusion,
    Graph,
    NegotiateContext,
    ReviewPick,
    SeatedJudge,
    SeatedVerifier,
    VerdictStore,
)
from symposia.contracts.index import Hit, Index, IndexEntry
from symposia.contracts.judge import Judge
from symposia.contracts.novelty import GateEntry, NoveltyCheck, NoveltyGate, NoveltyProbe
from symposia.contracts.personas import Personas
from symposia.contracts.reviewer import Reviewer
from symposia.contracts.role import Answer, Ask, RoleModel, Schema, UnusableAnswerError, plain_schema
from symposia.contracts.sandbox import Job, JobLimits, JobOutcome, Sandbox
from symposia.contracts.source import Source
from symposia.contracts.tool import Tool
from symposia.contracts.trainer import Trainer
from symposia.contracts.verifier import Verifier, VerifierCost

__all__ = [
    "Answer",
    "Ask",
    "Backend",
    "Capabilities",
    "ChatReply",
    "ChatRequest",
    "CompletingBackend",
    "ConcludeContext",
    "Conclusion",
    "Critic",
    "Embedder",
    "EmbeddingBackend",
    "Evaluator",
    "Exporter",
    "GateEntry",
    "Graph",
    "Hit",
    "Index",
    "IndexEntry",
    "Job",
    "JobLimits",
    "JobOutcome",
    "JsonSchemaSpec",
    "Judge",
    "NegotiateContext",
    "NoveltyCheck",
    "NoveltyGate",
    "NoveltyProbe",
    "Personas",
    "ReviewPick",
    "Reviewer",
    "RoleModel",
    "Sandbox",
    "Schema",
    "ScoringBackend",
    "SeatedJudge",
    "SeatedVerifier",
    "Source",
    "TokenLogprob",
    "TokenizingBackend",
    "Tool",
    "Trainer",
    "UnusableAnswerError",
    "Vectors",
    "VerdictStore",
    "Verifier",
    "VerifierCost",
    "plain_schema",
]
