"""Check this installation, and name the fix for each thing that is wrong.

Nothing is changed. The exit status is 1 when something is wrong.
"""

from __future__ import annotations

import argparse

from maquette_wire.home import Home

from .. import checkup

MARKS = {"fine": "ok   ", "note": "note ", "wrong": "WRONG"}


def configure(parser: argparse.ArgumentParser) -> None:
    del parser  # it has no arguments


def run(arguments: argparse.Namespace) -> int:
    del arguments
    wrong = 0
    for finding in checkup.all_findings(Home.default()):
        wrong += finding.state == "wrong"
        print(f"{MARKS[finding.state]}  {finding.subject:<10}  {finding.text}", flush=True)
        if finding.fix:
            print(f"{'':19}-> {finding.fix}", flush=True)
    things = "thing is" if wrong == 1 else "things are"
    print(f"\n{wrong} {things} wrong." if wrong else "\nNothing is wrong.")
    return 1 if wrong else 0
