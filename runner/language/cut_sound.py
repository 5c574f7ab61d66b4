"""`sound` of a cut: the clips' own, music, voices, and how they give way to each other."""

from decimal import Decimal

from runner.core.diagnostics import Label, Span
from runner.core.media import Kind
from runner.language import fields, node
from runner.language.cut import LOUDNESS, Duck, Music, Sound, Under, Voice
from runner.language.editorial import trimmed
from runner.language.faults import Faults, suggested
from runner.language.node import Node, Scalar
from runner.language.references import References
from runner.language.take import MediaUse, Trim

LEVELS_DB = (-60, 20)
DUCKS_DB = (0, 60)
LOUDNESSES_LUFS = (-40, -8)
OFF = "off"
_HEARD = ("file", "in", "out", "level")


def read_sound(at: Node, references: References, faults: Faults) -> Sound | None:
    """None after reporting."""
    tree = fields.shaped(at, "`sound`", ("clips", "music", "voice", "duck", "loudness"), faults)
    if tree is None:
        return None
    before = len(faults.found)
    clips, music, voice, duck, loudness = (tree.get(k) for k in ("clips", "music", "voice", "duck", "loudness"))
    found = Sound(
        clips_db=_or_off(clips, "`clips`", LEVELS_DB, "dB", faults) if clips else Decimal(0),
        music=_music(music, references, faults) if music else None,
        voice=_voices(voice, references, faults) if voice else (),
        duck=_duck(duck, faults) if duck else None,
        loudness_lufs=_or_off(loudness, "`loudness`", LOUDNESSES_LUFS, "LUFS", faults) if loudness else LOUDNESS,
    )
    if len(faults.found) > before:
        return None
    return found if found.duck is None or _duck_has_work(tree, found.duck, faults) else None


def _duck_has_work(tree: node.Mapping, duck: Duck, faults: Faults) -> bool:
    """Whether there is music to be lowered, and something for which."""
    entry, clips = tree.entry("duck"), tree.get("clips")
    assert entry is not None
    lacks = ""
    if tree.get("music") is None:
        lacks = "music"
    elif Under.VOICE in duck.under and tree.get("voice") is None:
        lacks = "voice"
    if lacks:
        faults.add(
            "misplaced-key",
            f"`duck` lowers music under {' and '.join(duck.under)}, and there is no `{lacks}` here",
            entry.key.span,
            help=f"write `{lacks}:` beside it, or take `duck` out"
            + ("; `under: clips` makes room for the clips" if lacks == "voice" else ""),
        )
        return False
    if Under.CLIPS in duck.under and isinstance(clips, Scalar) and clips.value == OFF:
        faults.add(
            "misplaced-key",
            "`duck` lowers music under the clips, whose sound is off",
            entry.key.span,
            others=(Label(span=clips.span, text="off here"),),
        )
        return False
    return True


def _music(at: Node, references: References, faults: Faults) -> Music | None:
    if not isinstance(at, node.Mapping):
        use = references.local(at, "music", Kind.AUDIO, faults)
        return Music(file=use, span=at.span) if use else None
    heard = _heard(at, (*_HEARD, "fade", "loop"), "`music`", references, faults)
    if heard is None:
        return None
    before = len(faults.found)
    fade, loop = at.get("fade"), at.get("loop")
    fades = fields.shaped(fade, "`fade`", ("in", "out"), faults) if fade else None
    seconds = {
        entry.key.text: fields.amount(entry.value, f"`{entry.key.text}` of `fade`", faults, unit="seconds")
        for entry in fades or ()
    }
    looped = fields.flag(loop, "`loop`", faults) if loop else False
    if len(faults.found) > before:
        return None
    use, span, trim, level = heard
    return Music(
        file=use,
        span=span,
        in_s=trim.in_s,
        out_s=trim.out_s,
        level_db=level,
        fade_in_s=seconds.get("in") or Decimal(0),
        fade_out_s=seconds.get("out") or Decimal(0),
        loop=bool(looped),
    )


def _voices(at: Node, references: References, faults: Faults) -> tuple[Voice, ...]:
    members = fields.listing(at, "`voice`", faults, of="voices, `[{file: media/line.mp3, at: arrival}]`")
    found = [_voice(member, references, faults) for member in (members.items if members else ())]
    return tuple(voice for voice in found if voice is not None)


def _voice(at: Node, references: References, faults: Faults) -> Voice | None:
    tree = fields.mapping(at, "a voice", faults, takes="a mapping, `{file: media/line.mp3, at: arrival}`")
    heard = _heard(tree, (*_HEARD, "at", "after"), "a voice", references, faults) if tree else None
    if tree is None or heard is None:
        return None
    begins, after = tree.get("at"), tree.get("after")
    if begins is None:
        fields.missing(
            tree,
            "at",
            faults,
            of="a voice",
            help="say where it begins: `at: arrival` with that shot, `at: 12.5` at that second",
        )
        return None
    shot, seconds = _begin(begins, faults)
    later = fields.amount(after, "`after`", faults, unit="seconds") if after else Decimal(0)
    if shot is None and after is not None:
        entry = tree.entry("after")
        assert entry is not None
        faults.add(
            "misplaced-key",
            "`after` counts from a shot; this voice begins at a second",
            entry.key.span,
            help="add the two up in `at`",
        )
        return None
    if later is None or (shot is None and seconds is None):
        return None
    use, span, trim, level = heard
    return Voice(
        file=use,
        span=span,
        in_s=trim.in_s,
        out_s=trim.out_s,
        level_db=level,
        shot=shot,
        after_s=later if shot is not None else seconds or Decimal(0),
        at=begins.span,
    )


def _begin(at: Node, faults: Faults) -> tuple[str | None, Decimal | None]:
    """The shot or the second a voice begins with; neither after reporting."""
    if isinstance(at, Scalar) and isinstance(at.value, str):
        return fields.fixed_text(at, "`at`", faults, takes="a shot or a second"), None
    return None, fields.amount(at, "`at`", faults, unit="seconds, or a shot")


def _heard(
    tree: node.Mapping, keys: tuple[str, ...], name: str, references: References, faults: Faults
) -> tuple[MediaUse, Span, Trim, Decimal] | None:
    """The file, where it is named, the part of it and the level that music and voices both have."""
    if not fields.known_keys(tree, keys, faults, of=name):
        return None
    before = len(faults.found)
    file, level = tree.get("file"), tree.get("level")
    if file is None:
        fields.missing(tree, "file", faults, of=name, help="a reference's name or a path: `file: media/theme.mp3`")
        return None
    use = references.local(file, "file", Kind.AUDIO, faults)
    trim = trimmed(tree, faults, name=name)
    found = _between(level, "`level`", LEVELS_DB, "dB", faults) if level else Decimal(0)
    if use is None or trim is None or found is None or len(faults.found) > before:
        return None
    return use, file.span, trim, found


def _duck(at: Node, faults: Faults) -> Duck | None:
    tree = fields.shaped(at, "`duck`", ("by", "attack", "release", "under"), faults)
    if tree is None:
        return None
    by, attack, release, under = (tree.get(key) for key in ("by", "attack", "release", "under"))
    if by is None:
        fields.missing(tree, "by", faults, of="`duck`", help="say by how many dB the music goes down: `{by: 12}`")
        return None
    usual = Duck(by_db=Decimal(0))
    found = (
        _between(by, "`by`", DUCKS_DB, "dB", faults),
        fields.amount(attack, "`attack`", faults, unit="seconds") if attack else usual.attack_s,
        fields.amount(release, "`release`", faults, unit="seconds") if release else usual.release_s,
        _under(under, faults) if under else usual.under,
    )
    by_db, attack_s, release_s, what = found
    if by_db is None or attack_s is None or release_s is None or not what:
        return None
    return Duck(by_db=by_db, attack_s=attack_s, release_s=release_s, under=what)


def _under(at: Node, faults: Faults) -> tuple[Under, ...]:
    members = at.items if isinstance(at, node.Sequence) and at.items else (at,)
    found = []
    for member in members:
        word = fields.fixed_text(member, "`under`", faults, takes="voice, clips, or a list of both")
        if word is None:
            return ()
        if word not in tuple(Under):
            faults.add(
                "bad-value",
                f"`under` is `{fields.clipped(word)}`; it is voice, clips, or a list of both",
                member.span,
                help=suggested(word, tuple(Under), words="music makes room for"),
            )
            return ()
        found.append(Under(word))
    return tuple(dict.fromkeys(found))


def _or_off(at: Node, name: str, bounds: tuple[int, int], unit: str, faults: Faults) -> Decimal | None:
    """A level, or None for `off`; and None after reporting."""
    if isinstance(at, Scalar) and at.value == OFF:
        return None
    if isinstance(at, Scalar) and isinstance(at.value, str) and not fields.has_template(at):
        advice = f"`{OFF}` leaves it out; in a number there is no unit: `-6`"
        faults.add(
            "bad-type", f"{name} is {fields.shown(at)}; it takes a number of {unit}, or `{OFF}`", at.span, help=advice
        )
        return None
    return _between(at, name, bounds, unit, faults)


def _between(at: Node, name: str, bounds: tuple[int, int], unit: str, faults: Faults) -> Decimal | None:
    least, most = bounds
    value = fields.amount(at, name, faults, least=-(10**9), unit=unit)
    if value is None or least <= value <= most:
        return value
    faults.add(
        "bad-value",
        f"{name} is {fields.shown(at)}; it is from {least} to {most} {unit}",
        at.span,
        help=_USUAL[unit],
    )
    return None


_USUAL = {
    "dB": "0 leaves a sound as loud as it is, -6 makes it half as high",
    "LUFS": "-16 is usual for films on the net, -23 for television in Europe",
}
