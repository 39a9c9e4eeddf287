"""Bring exported chats and orders into the journal.

    read    parse and check a file into a spool beside the database; nothing is stored yet, totals and rejects are known
    store   take the spool in, batch by batch; interrupted or repeated, nothing is doubled

A file that turns out damaged in its middle is refused in the first step, so that nothing of it is half there.
"""

from qunce.runtime.imports.reading import ReadFile, Request, read_files
from qunce.runtime.imports.report import FileReport, Report
from qunce.runtime.imports.storing import store

__all__ = ["FileReport", "ReadFile", "Report", "Request", "read_files", "store"]
