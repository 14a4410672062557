"""The OpenAPI document of the HTTP API, for whoever writes a client of it."""

import azure.durable_functions as df
import azure.functions as func

from d2c.openapi import api_document
from triggers.answers import answers_problems, json_answer

blueprint = df.Blueprint()


@blueprint.route(route="openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answers_problems
async def get_api_document(req: func.HttpRequest) -> func.HttpResponse:
    """Return the document; it tells what the API is, and nothing of anybody's migrations."""
    return json_answer(api_document())
