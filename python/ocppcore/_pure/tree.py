"""A payload as a tree of values that know where they stand: for explanations, which look at one value beside another.

Only what a schema types becomes nodes. Free-form values, and values of a type that the schema does not want, are one node each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .schema import Field, ObjectType
    from .walk import Walk


class Member(NamedTuple):
    """A member of an object: its key, where the key stands with its quotes, the field that it is (None: unknown), its value."""

    name: str
    start: int
    end: int
    field: Field | None
    node: Node


class Node:
    """A value: `start` and `end` are bytes of the data.

    `type` is the type of an object, `members` all that stands in it, doubles too; `items` are those of a list; `text` is that of a scalar:
    a string (`is_string`) without its escapes, a number or a literal as it is written. What a node is not is None.
    """

    __slots__ = ("end", "is_string", "items", "members", "start", "text", "type")

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.type: ObjectType | None = None
        self.members: list[Member] | None = None
        self.items: list[Node] | None = None
        self.text: str | None = None
        self.is_string = False

    def get(self, name: str) -> Node | None:
        """The first value under a key."""
        return next((member.node for member in self.members or () if member.name == name), None)


def read_tree(walk: Walk, type_: ObjectType, at: int) -> Node:
    """The tree of the payload that begins at `at`, in a text that a walk has gone over to its end."""
    walk.at = at
    return _object(walk, type_)


def _object(walk: Walk, type_: ObjectType) -> Node:
    node = Node(walk.offset(walk.at))
    node.type, node.members = type_, []
    walk.open()
    ended = walk.closes("}")
    while not ended:
        walk.space()
        start = walk.offset(walk.at)
        name = walk.string()
        end = walk.offset(walk.at)
        walk.colon()
        field = type_.by_name.get(name)
        node.members.append(Member(name, start, end, field, _value(walk, field)))
        ended = not walk.more("}")
    node.end = walk.offset(walk.at)
    return node


def _value(walk: Walk, field: Field | None) -> Node:
    first = walk.begins()
    node = Node(walk.offset(walk.at))
    if field is not None and field.kind == "list" and first == "[":
        node.items = []
        walk.open()
        ended = walk.closes("]")
        while not ended:
            node.items.append(_value(walk, field.item))
            ended = not walk.more("]")
    elif field is not None and field.kind == "object" and first == "{":
        return _object(walk, field.type)
    elif first == '"':
        node.text, node.is_string = walk.string(), True
    elif first in "{[":
        walk.anything()
    else:
        start = walk.at
        walk.anything()
        node.text = walk.text[start : walk.at]
    node.end = walk.offset(walk.at)
    return node
