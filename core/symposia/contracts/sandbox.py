"""Runs code that nobody trusts."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import Field

from symposia.records import Record

__all__ = ["Job", "JobLimits", "JobOutcome", "Sandbox"]

JobStatus = Literal[
    "pass",
    "fail",
    "error",
    "timeout",
    "memory",
    "output_limit",
    "forbidden",
    "crashed",
    "tampered",
    "no_tests",
    "syntax",
]


class JobLimits(Record):
    """Walls around a job: seconds of CPU and wall time, bytes of memory and output."""

    cpu_s: float = Field(default=5.0, gt=0)
    wall_s: float = Field(default=10.0, gt=0)
    memory_bytes: int = Field(default=512 * 2**20, gt=0)
    output_bytes: int = Field(default=64 * 2**10, gt=0)


class Job(Record):
    """Code, and the tests it must pass."""

    language: str = "python"
    code: str
    tests: str = ""
    stdin: str = ""
    limits: JobLimits = JobLimits()


class JobOutcome(Record):
    """How a job ended: status, output excerpt, seconds, backend, and how far the verdict can be faked."""

    status: JobStatus
    detail: str = ""
    output: str = ""
    seconds: float = 0.0
    sandbox: str
    trust: str


class Sandbox(Protocol):
    """Runs one job within its limits and leaves nothing behind."""

    async def run(self, job: Job) -> JobOutcome:
        """Run a job; raises nothing for what the code does."""

    async def close(self) -> None:
        """End its workers; may be called twice."""
