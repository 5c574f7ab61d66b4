"""Shotrunner: a storyboard in git, a film on disk, and never a second charge for the same shot.

The map of the house, top floor first. A file may import from its own folder and from floors below, never upwards; the
house test reads this map.

    cli arguments __main__   argv -> exit code; the only error boundary, the only print and exit
    commands testing         one verb a file, and the emulator for other people's tests; only here is it started
    screen                   values -> text, JSON, GitHub lines, progress
    execution steps          order, concurrency, pace; knows no YAML, no SQL, no HTTP
    adapters                 one outside world each
    planning                 decisions, pure
    providers                pure codecs of one HTTP API each
    language                 text -> values, pure
    contract                 what the schemas say, pure
    core                     values everybody names

    emulator                 beside the others, the API itself on this machine: imports core, contract, language.document,
                             language.node, language.fields, language.faults, adapters.media, adapters.signature

Doors, the only files that import a third-party library:

    yaml                  language.document
    jinja2                language.sandbox language.fence language.vocabulary language.grammar screen.report
    jsonschema            contract.check
    jsonschema_rs         contract.check
    sqlite3               adapters.journal adapters.journal_file adapters.group_commit emulator.store
    aiohttp               adapters.client adapters.download adapters.report_server emulator.app emulator.callbacks emulator.door emulator.routes emulator.downloads emulator.forms emulator.fetch emulator.gate emulator.filing emulator.page
    av                    adapters.streams adapters.cutting steps.assemble steps.clip steps.picture steps.poster steps.sound steps.loudness steps.mix steps.splice emulator.demux emulator.footage emulator.lens emulator.mp4 emulator.posters emulator.sound
    PIL                   adapters.pictures steps.contact steps.slate emulator.card emulator.lettering emulator.picture
    numpy                 steps.loudness steps.mix steps.picture steps.slate steps.sound emulator.*
    rich                  screen.progress
    click                 cli arguments
    dotenv                adapters.keys
    opentimelineio        steps.edl steps.interchange steps.otioz steps.xmeml
"""

__version__ = "0.1.0.dev0"
