"""The assembly's version: part of what a film is made from. Raise it when the same clips would give another film."""

FILM_VERSION = "1"
