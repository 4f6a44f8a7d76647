#!/usr/bin/env python3
"""Words on standard input, their vectors in GloVe's text format on standard output.

The vectors are those of wordllama's static embeddings (PyPI `wordllama`, MIT): a word is the mean of
its tokens. Needs numpy and tokenizers; reads nothing but the unpacked wheel.

  pip download --no-deps wordllama && unzip -d wheel wordllama-*.whl
  grep -ohE '[[:alpha:]-]{2,20}' examples/skill_bench/{plan.rs,noise.json} | tr A-Z a-z | sort -u |
      python3 examples/skill_bench/vectors.py wheel > vectors.txt
"""
import json
import struct
import sys

import numpy
from tokenizers import Tokenizer

wheel = sys.argv[1]
tokenizer = Tokenizer.from_file(f"{wheel}/wordllama/tokenizers/l2_supercat_tokenizer_config.json")
with open(f"{wheel}/wordllama/weights/l2_supercat_256.safetensors", "rb") as file:
    (length,) = struct.unpack("<Q", file.read(8))
    header = json.loads(file.read(length))
    (name,) = (name for name in header if name != "__metadata__")
    tensor = header[name]
    kinds = {"F16": "<f2", "F32": "<f4"}
    table = numpy.frombuffer(file.read(), dtype=kinds[tensor["dtype"]]).reshape(tensor["shape"])

for word in sys.stdin.read().split():
    tokens = tokenizer.encode(word, add_special_tokens=False).ids
    vector = table[tokens].astype("<f4").mean(axis=0)
    print(word, *(f"{number:.5f}" for number in vector))
