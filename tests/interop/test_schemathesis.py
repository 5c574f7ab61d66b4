"""The emulator as schemathesis sees it: whatever is sent, each answer is one of those its OpenAPI document knows."""

import asyncio
import json
import os
import subprocess
from decimal import Decimal
from pathlib import Path

from emulation import KEY, TEXT, emulated
from interop.judges import judge

from runner.emulator.script import Hold, Script

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "5"))  # of an operation and phase
CONFIG = Path(__file__).with_name("schemathesis.toml")


# An upload by URL would go out into the world. Where a callback may lead is no matter of its spelling. What is lawful in the control headers, percent-encoded print or a fault, is more than a schema can say: they are left out.
async def test_every_answer_is_one_the_document_knows(tmp_path: Path) -> None:
    # Held tasks fetch nothing, draw nothing and call nobody; the one token opens the control endpoints too.
    script = Script(mishaps=(Hold(task=None),))
    lines: list[str] = []
    async with emulated(tmp_path, script=script, control=KEY, balance=Decimal(10**9), log=lines.append) as client:
        served = (await client.call("GET", "/openapi.json")).json
        for operation in (one for path in served["paths"].values() for one in path.values()):
            operation["parameters"] = [
                p for p in operation.get("parameters", ()) if not p["name"].startswith("X-Emulate")
            ]
        for schema in served["components"]["schemas"].values():
            schema.get("properties", {}).pop("callback_url", None)
        (tmp_path / "openapi.json").write_text(json.dumps(served), encoding="utf-8")
        words = [
            judge("schemathesis"),
            "--config-file",
            str(CONFIG),
            "run",
            "openapi.json",
            "--url",
            served["servers"][0]["url"],
        ]
        words += ["--header", f"Authorization: Bearer {KEY}", "--checks", "all", "--max-examples", str(EXAMPLES)]
        words += [
            "--seed",
            "1",
            "--exclude-operation-id",
            "uploadUrl",
            "--suppress-health-check",
            "all",
            "--continue-on-failure",
            "--no-color",
        ]
        ended = await asyncio.to_thread(
            subprocess.run, words, capture_output=True, text=True, check=False, cwd=tmp_path
        )
        print(ended.stdout)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert not [line for line in lines if line.startswith("bug")]
        assert len(lines) > 20 * EXAMPLES
        assert (await client.create(TEXT)).status == 200
