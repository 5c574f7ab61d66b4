"""The OpenAPI document: all that is served and nothing else, with the models' own schemas for its requests."""

import json
from typing import Any

import pytest
from bodies import MODELS, lawful, least, models, mutants
from emulation import served_routes
from hypothesis import given
from jsonschema import Draft202012Validator
from jsonschema_rs import Draft202012Validator as Gate
from openapi import Judge

from runner.contract import check
from runner.emulator import intake
from runner.emulator.openapi import document
from runner.emulator.operations import OPERATIONS
from runner.emulator.refusals import Profile, Refusal
from runner.emulator.switches import Switches

DOCUMENT = document(MODELS, "http://127.0.0.1:1", Switches())
CREATE = Gate(
    {"$ref": "#/components/schemas/CreateVideo", "components": DOCUMENT["components"]},
    formats={"uri": check.is_uri},
    validate_formats=True,
)


def references(value: Any) -> set[str]:
    if isinstance(value, list):
        return {found for one in value for found in references(one)}
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return own | {found for one in value.values() for found in references(one)}


def test_every_route_has_an_operation_and_every_operation_a_route() -> None:
    assert {(operation.method, operation.path) for operation in OPERATIONS} == served_routes()


def test_names_of_operations_are_their_own() -> None:
    assert len({operation.id for operation in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize("profile", Profile)
def test_every_schema_keeps_its_metaschema_and_every_reference_leads_somewhere(profile: Profile) -> None:
    found = document(MODELS, "http://127.0.0.1:1", Switches(profile=profile))
    schemas = found["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    assert references(found) <= {f"#/components/schemas/{name}" for name in schemas}
    assert json.loads(json.dumps(found)) == found


@given(models().flatmap(lambda model: lawful(model) | mutants(model)))
def test_the_document_takes_the_bodies_that_the_server_takes_and_no_others(body: dict[str, Any]) -> None:
    try:
        intake.read(json.dumps(body).encode(), MODELS, intake.Wishes(), Switches())
    except Refusal:
        taken = False
    else:
        taken = True
    assert CREATE.is_valid(body) == taken


def test_what_its_service_cuts_is_lawful_at_any_length() -> None:
    model = MODELS["wan2.7-text-to-video"]
    assert CREATE.is_valid(least(model, prompt="x" * 6000, negative_prompt="y" * 600))
    assert not CREATE.is_valid(least(MODELS["wan2.5-text-to-video"], prompt="x" * 6000))
    assert model.schema["properties"]["prompt"]["maxLength"] == 5000


def judged(status: int, body: object, path: str = "/v1/models", method: str = "GET") -> list[str]:
    return Judge(DOCUMENT).faults(method, path, status, "application/json; charset=utf-8", json.dumps(body).encode())


def test_an_answer_that_breaks_the_document_is_told() -> None:
    lawful_one = {"object": "list", "data": [{"id": "a", "object": "model"}]}
    assert judged(200, lawful_one) == []
    assert judged(200, {**lawful_one, "more": 1})
    assert judged(200, {"object": "list"})
    assert judged(201, lawful_one) == ["listModels knows no 201"]
    assert judged(401, lawful_one)
    assert judged(200, lawful_one, method="PATCH")
    assert judged(405, {"error": {"code": "x", "message": "y", "type": "z"}}, method="PATCH") == []


def test_codes_are_numbers_by_the_documents_and_words_today() -> None:
    for profile, code in ((Profile.DOCUMENTED, 404), (Profile.CURRENT, "not_found")):
        judge = Judge(document(MODELS, "", Switches(profile=profile)))
        for said in (404, "not_found"):
            body = json.dumps({"error": {"code": said, "message": "m", "type": "t"}}).encode()
            assert (judge.faults("GET", "/v1/tasks/x", 404, "application/json", body) == []) == (said == code)
