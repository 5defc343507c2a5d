"""For each line of standard input, prints whether docs/protocol.schema.json allows it: yes or no."""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator

TOP = pathlib.Path(__file__).resolve().parents[3]
schema = json.loads((TOP / "docs/protocol.schema.json").read_text())
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
for line in sys.stdin:
    print("yes" if validator.is_valid(json.loads(line)) else "no")
