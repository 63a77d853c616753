"""What both programs share: a step is a line of JSON."""

import json


def step(name: str, got: object) -> None:
    print(json.dumps({"step": name, "got": got}), flush=True)
