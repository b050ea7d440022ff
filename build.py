#!/usr/bin/env python3
"""The one script for people: sets up what a verb needs inside this checkout, then does it.

  python build.py demo        restyle a sample model and make a sheet of pictures to look at
  python build.py test        run the tests
  python build.py check       lint, types, import contracts, then the tests
  python build.py extension   build the add-on's zip for Blender
  python build.py serve       run the server that Blender sends its jobs to
  python build.py docs        make the screenshots of docs/ again, in a Blender with a window
  python build.py setup       install what the others need, and nothing else

Needs Python 3.11 (Blender's own) and a package registry; no GPU and no account. Everything is
installed into .venv and .venv-bpy-* beside this file; delete those folders to start over.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

PYTHON = (3, 11)
HERE = Path(__file__).resolve().parent


def _other_python() -> list[str] | None:
    """The command of a Python 3.11 beside the one that runs, or None."""
    name = f"python{PYTHON[0]}.{PYTHON[1]}"
    candidates = [["py", f"-{PYTHON[0]}.{PYTHON[1]}"], [name]] if os.name == "nt" else [[name]]
    for command in candidates:
        if shutil.which(command[0]) and not subprocess.call(
            [*command, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ):
            return command
    return None


def _ensure_python() -> int | None:
    """Continue in Python 3.11 where another runs; the exit status then, None where it is right."""
    if sys.version_info[:2] == PYTHON:
        return None
    other = _other_python()
    if other is None:
        running = ".".join(map(str, sys.version_info[:2]))
        print(
            f"build.py: this is Python {running}, and the Blender modules need Python 3.11. "
            "Install it (python.org, your package manager, or 'uv python install 3.11') and run "
            "build.py with it.",
            file=sys.stderr,
        )
        return 1
    return subprocess.call([*other, str(HERE / "build.py"), *sys.argv[1:]])


def _parser() -> argparse.ArgumentParser:
    from tools import environments, torch_build

    parser = argparse.ArgumentParser(
        prog="build.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--torch", default="auto", metavar="BUILD", help=torch_build.HELP)

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=text, description=text, parents=[shared])

    demo = verb("demo", "restyle a sample model; the pictures are in out/demo afterwards")
    demo.add_argument("--sample", metavar="FILE", type=Path, help="another .blend than the sample")
    demo.add_argument("--camera", metavar="NAME", help="another camera than the sample's first")
    demo.add_argument("--prompt", action="append", help="instead of the three prompts; repeatable")
    for name, text in (
        ("test", "run the tests; arguments after -- go to pytest"),
        ("check", "lint, types, import contracts, then the tests"),
        ("setup", "install what the other verbs need, and nothing else"),
    ):
        tests = verb(name, text)
        tests.add_argument(
            "--blender",
            action="append",
            choices=environments.BLENDERS,
            help=f"series of the bpy wheel to use; repeatable ({environments.DEFAULT_BLENDER})",
        )
        if name == "setup":
            continue
        tests.add_argument(
            "--blender-app",
            action="append",
            type=Path,
            default=[],
            metavar="PROGRAM",
            help="a Blender program to run the end-to-end tests with as well; repeatable",
        )
        tests.add_argument("options", nargs="*", metavar="-- OPTION", help="arguments for pytest")
    docs = verb("docs", "make the pictures of docs/ again, screenshots in a Blender with a window")
    docs.add_argument(
        "--blender-window",
        metavar="PROGRAM",
        type=Path,
        help="runs Blender in a window on a display of its own (.ci/install_blender.sh makes one)",
    )
    docs.add_argument("--only", action="append", metavar="SCENARIO", help="one; repeatable")
    docs.add_argument(
        "--evaluated", metavar="FOLDER", type=Path, help="the sheets of this evaluation as well"
    )
    verb("extension", "build the add-on's zip into dist/, with the wheels of all platforms")
    serve = verb("serve", "run the server; arguments after -- go to 'maquette serve'")
    serve.add_argument("options", nargs="*", metavar="-- OPTION", help="see: serve -- --help")
    return parser


def _lint(python: Path) -> bool:
    """Run the static checks, all of them; whether they all passed."""
    path = os.pathsep.join(str(HERE / name) for name in (".", "shared", "backend"))
    checks = {
        "ruff": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "pyright": [python, "-m", "pyright", "--pythonpath", python],
        "import contracts": [python.parent / "lint-imports"],
    }
    passed = True
    for name, command in checks.items():
        print(f"\n{name}", flush=True)
        status = subprocess.call(
            [str(part) for part in command], cwd=HERE, env={**os.environ, "PYTHONPATH": path}
        )
        passed = passed and status == 0
    return passed


def _demo(arguments: argparse.Namespace) -> int:
    from tools import environments, extension

    python = environments.backend(arguments.torch)
    archive = extension.build()
    command = [str(python), "-m", "tools.demo", "--extension", str(archive)]
    command += ["--blender", str(environments.blender(environments.DEFAULT_BLENDER))]
    if arguments.sample:
        command += ["--sample", str(arguments.sample.resolve())]
    if arguments.camera:
        command += ["--camera", arguments.camera]
    for prompt in arguments.prompt or ():
        command += ["--prompt", prompt]
    return subprocess.call(command, cwd=HERE)


def _docs(arguments: argparse.Namespace) -> int:
    from tools import environments, extension

    python = environments.backend(arguments.torch)
    command = [str(python), "-m", "tools.docs", "--extension", str(extension.build())]
    command += ["--blender", str(environments.blender(environments.DEFAULT_BLENDER))]
    if arguments.blender_window:
        command += ["--blender-window", str(arguments.blender_window.resolve())]
    for name in arguments.only or ():
        command += ["--only", name]
    if arguments.evaluated:
        command += ["--evaluated", str(arguments.evaluated.resolve())]
    return subprocess.call(command, cwd=HERE)


def _dispatch(arguments: argparse.Namespace) -> int:
    from tools import environments, extension, suite

    if arguments.verb == "demo":
        return _demo(arguments)
    if arguments.verb == "docs":
        return _docs(arguments)
    if arguments.verb == "extension":
        extension.build()
        return 0
    if arguments.verb == "serve":
        python = environments.backend(arguments.torch)
        return subprocess.call([str(python), "-m", "maquette", "serve", *arguments.options])
    blenders = arguments.blender or [environments.DEFAULT_BLENDER]
    if arguments.verb == "setup":
        python = environments.backend(arguments.torch)
        for series in blenders:
            environments.blender_tests(series)
        extension.build(blenders[0])
        # Says what there is to paint with, and has Blender's add-on find this installation.
        return subprocess.call([str(python), "-m", "maquette", "models"])
    check = arguments.verb == "check"
    python = environments.backend(arguments.torch, lint=check)
    linted = _lint(python) if check else True
    tested = suite.run(python, blenders, arguments.blender_app, arguments.options)
    if not linted:
        print("check: the static checks above found faults.", flush=True)
    return tested or int(not linted)


def main() -> int:
    status = _ensure_python()
    if status is not None:
        return status
    sys.path.insert(0, str(HERE))
    from tools.console import BuildError

    parser = _parser()
    if len(sys.argv) == 1:
        parser.print_help()
        return 2
    try:
        return _dispatch(parser.parse_args())
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbuild.py: interrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
