"""The endpoints of the public catalogue and of the page, as the OpenAPI document describes them."""

from runner.emulator.operation import SEGMENT, Answer, Key, Operation, binary, header, json_answer, path, query

_SINCE = (header("If-None-Match", "The ETag of what the client has", {"type": "string"}),)
_SAME = {304: Answer(says="The client has it")}

CATALOGUE: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path="/v1/catalog/models",
        id="getCatalogue",
        says="What models there are",
        key=Key.NONE,
        parameters=_SINCE,
        answers={200: json_answer("CatalogueModels", ETag="Of this list"), **_SAME},
    ),
    Operation(
        method="GET",
        path="/v1/catalog/health",
        id="getCatalogueHealth",
        says="Whether the catalogue is there",
        key=Key.NONE,
        parameters=_SINCE,
        answers={200: json_answer("CatalogueHealth", ETag="Of this answer"), **_SAME},
    ),
    Operation(
        method="GET",
        path="/v1/catalog/pricing-rules",
        id="getPrices",
        says="What each model costs today",
        key=Key.NONE,
        parameters=_SINCE,
        answers={200: json_answer("Prices", ETag="Of these prices"), **_SAME},
    ),
    Operation(
        method="GET",
        path="/v1/catalog/models/{id}/pricing-rules",
        id="getPricesOfModel",
        says="What one model costs today",
        key=Key.NONE,
        parameters=(path("id", SEGMENT), *_SINCE),
        answers={200: json_answer("Prices", ETag="Of these prices"), **_SAME},
        refusals=(404,),
    ),
    Operation(
        method="GET",
        path="/web/api/models/pricing",
        id="getWebPrices",
        says="The same prices in another cover",
        key=Key.NONE,
        parameters=_SINCE,
        answers={200: json_answer("WebPrices", ETag="Of these prices"), **_SAME},
    ),
)
PAGE: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path="/",
        id="getPage",
        says="The page to watch it",
        key=Key.NONE,
        answers={200: binary("The page", "text/html")},
    ),
    Operation(
        method="GET",
        path="/_emulate/board",
        id="getBoard",
        says="What the page shows: all tasks, or those changed since the last answer, and the sums",
        key=Key.CONTROL,
        parameters=(
            query("epoch", "Of the last answer", {"type": "string"}),
            query("since", "The revision of the last answer", {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}),
        ),
        answers={200: json_answer("Board")},
        refusals=(400,),
    ),
    Operation(
        method="GET",
        path="/_emulate/posters/{id}",
        id="getPoster",
        says="The first picture of a task's clip",
        key=Key.CONTROL,
        parameters=(path("id", SEGMENT),),
        answers={
            200: binary("The picture", "image/jpeg"),
            206: binary("A part of it", "image/jpeg"),
            304: Answer(says="Unchanged"),
            412: Answer(says="Changed"),
            416: Answer(says="No byte lies in the range"),
        },
        refusals=(404,),
    ),
    Operation(
        method="GET",
        path="/_emulate/clips/{id}",
        id="getClip",
        says="A task's clip, without a link and however old",
        key=Key.CONTROL,
        parameters=(path("id", SEGMENT),),
        answers={
            200: binary("The clip", "video/mp4"),
            206: binary("A part of it", "video/mp4"),
            304: Answer(says="Unchanged"),
            412: Answer(says="Changed"),
            416: Answer(says="No byte lies in the range"),
        },
        refusals=(404,),
    ),
)
