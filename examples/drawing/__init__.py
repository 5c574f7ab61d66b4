"""How the media of the examples were drawn and synthesised; `python examples/draw.py` makes them all anew."""
