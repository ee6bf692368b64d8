"""The tools that the server has for agents, as the Model Context Protocol describes them."""

from __future__ import annotations

from typing import Any, Optional

from pydantic import Field

from agentpost._model import Model


class Tool(Model):
    """A tool that the key may use. ``input_schema`` is the JSON Schema of its arguments."""

    name: str
    title: Optional[str] = None
    description: str = ""
    input_schema: dict[str, Any] = Field(alias="inputSchema")
    annotations: Optional[dict[str, Any]] = None


class ToolResult(Model):
    """What a tool came to. ``content`` is what a model reads; with ``is_error`` it tells what is wrong."""

    content: list[dict[str, Any]]
    structured_content: Optional[dict[str, Any]] = Field(default=None, alias="structuredContent")
    is_error: bool = Field(default=False, alias="isError")

    @property
    def text(self) -> str:
        """The texts of the content, one below the other."""
        return "\n".join(part["text"] for part in self.content if part.get("type") == "text")


class ToolList(Model):
    """A page of tools."""

    tools: list[Tool]
    next_cursor: Optional[str] = Field(default=None, alias="nextCursor")


class ToolProblem(Model):
    """Why there is no result."""

    code: int
    message: str


class ToolAnswer(Model):
    """What JSON-RPC 2.0 answers (5): a result, or an error."""

    result: Optional[dict[str, Any]] = None
    error: Optional[ToolProblem] = None
