"""The language that plug-in and engine speak. Standard library only: it runs in GIMP's Python."""

VERSION = "0.1.0"  # of the package, for people
PROTOCOL = 2  # meaning of the messages; raised when an old meaning changes
