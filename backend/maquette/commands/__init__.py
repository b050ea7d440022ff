"""The commands of the command line, one module for each, and `options` that several take.

A command's module has two functions, and is imported only when its command is called, so that
``maquette --help`` needs neither torch nor a moment's patience:

- ``configure(parser)`` adds the command's arguments to its ``argparse.ArgumentParser``;
- ``run(arguments)`` does the work and returns the exit status. It raises ``MaquetteError`` for
  what a user can act on; ``maquette.cli`` makes one line and exit status 1 of it.

The list of commands, each with its line of help, is in ``maquette.cli``.
"""
