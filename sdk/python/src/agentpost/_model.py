"""What all the types of answers have in common."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from agentpost.errors import UnexpectedAnswerError

Answer = TypeVar("Answer", bound=BaseModel)


class Model(BaseModel):
    """Something that the API answered. Fields that a newer server adds are kept as they come."""

    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
        protected_namespaces=(),
        defer_build=True,
        hide_input_in_errors=True,  # it may be a secret
    )


def read_as(answer: type[Answer], content: bytes) -> Answer:
    """Return the JSON of an answer as what it should be. Raises UnexpectedAnswerError for what is none."""
    try:
        return answer.model_validate_json(content)
    except ValidationError as problem:
        raise UnexpectedAnswerError(f"This is no {answer.__name__}: {problem}") from problem
