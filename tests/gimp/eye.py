"""Looks into a GIMP that has windows, for tests; runs in GIMP's Python as a batch, never in pytest.

It answers the questions laid into the shared folder for as long as GIMP runs. The helpers of
`inside.py` are there for them.
"""

import json
import os
import pathlib
import time
import traceback

FOLDER = pathlib.Path("/share/eye")


def answer(question):
    OUTCOME.clear()  # noqa: F821  of inside.py
    try:
        exec(compile(question, "question", "exec"), globals())
    except BaseException:
        OUTCOME["traceback"] = traceback.format_exc()  # noqa: F821
    part = FOLDER / "answer.part"
    part.write_text(json.dumps(OUTCOME))  # noqa: F821
    part.rename(FOLDER / "answer.json")


gimp = os.getppid()
while os.getppid() == gimp:  # an eye without a GIMP must not take another one's questions
    question = FOLDER / "question.py"
    if question.exists():
        body = question.read_text()
        question.unlink()
        answer(body)
    time.sleep(0.05)
