"""The renderer's version: part of what a free clip is, so a better picture is made anew. Imports nothing, since plans name it."""

RENDERER_VERSION = "3"
