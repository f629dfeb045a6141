"""If this fails, docs/scaling.md shows sizes that its own formulas don't give."""

from __future__ import annotations

import re
import subprocess
import sys

from stack.settings import PROJECT


def test_the_sizes_are_what_the_formulas_give() -> None:
    page = (PROJECT / "docs" / "scaling.md").read_text()
    [formulas] = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    said = subprocess.run([sys.executable, "-c", formulas], capture_output=True, text=True, check=True).stdout
    assert said and said in page
