"""The command line. A command's module is imported when it is asked for, so that `qunce --help` is quick."""
