"""What ``build.py`` is made of: environments, the extension's zip, the test run, the demo.

``console``, ``environments``, ``torch_build``, ``extension`` and ``suite`` use the standard library
alone, since they run before any environment exists. ``demo`` and ``sheet`` run inside the backend's
environment.
"""
