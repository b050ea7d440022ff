"""The server: sockets in one loop, jobs in a journal, sampling in a process for each device.

``loop`` holds the sockets, ``access`` decides who may connect, ``desk`` what becomes of a request,
``journal`` and ``spool`` keep jobs and pictures on disk, ``pool`` keeps the worker processes
alive, and ``worker`` is such a process. Nothing here but ``worker`` imports a model library, and
that only once it runs.
"""
