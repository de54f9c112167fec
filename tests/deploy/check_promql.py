"""Run in the environment of these tools: parse each line of standard input as PromQL, print the metrics it names."""

import json
import re
import sys

import promql_parser

_NAME = re.compile(r"\b(?:gnomon|process)_[a-z_]+")

names = set()
for line in sys.stdin:
    promql_parser.parse(line)
    names.update(_NAME.findall(line))
json.dump(sorted(names), sys.stdout)
