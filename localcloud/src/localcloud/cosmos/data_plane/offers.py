"""Calls about offers: the throughput of containers, and that of databases."""

from typing import Any

from localcloud.cosmos.data_plane.calls import Answer, Call, json_answer
from localcloud.cosmos.data_plane.resources import listing
from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.storage import throughput

Json = dict[str, Any]


def list_offers(call: Call) -> Answer:
    """Return offers; a query for one asks by the container's link or resource id, as the two SDKs do."""
    offers = call.store.offers()
    if call.is_query:
        values = [str(entry.get("value")).strip("/") for entry in call.object().get("parameters") or []]
        offers = [
            offer
            for offer in offers
            if not values or values[0] in (offer["resource"].strip("/"), offer["offerResourceId"])
        ]
    return listing("Offers", offers)


def get_offer(call: Call) -> Answer:
    """Return an offer."""
    return _offer_answer(_offered(call))


def put_offer(call: Call) -> Answer:
    """Change throughput; here it takes effect at once."""
    offer = _offered(call)
    call.store.change_offer(offer, call.object().get("content") or {})
    return _offer_answer(offer)


def _offer_answer(offer: Json) -> Answer:
    least = throughput.minimum(offer["content"])
    return json_answer(offer, headers={"x-ms-cosmos-min-throughput": str(least)})


def _offered(call: Call) -> Json:
    for offer in call.store.offers():
        if offer["id"].lower() == call.names[0].lower():
            return offer
    raise CosmosError(404, f"Resource Not Found: offer {call.names[0]}")
