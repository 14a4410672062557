"""What a durable client input gets from the host."""

import json

HOOK = "/runtime/webhooks/durabletask"


def client_payload(base: str, hub: str, key: str) -> str:
    """Return what a durable client input gets: the SDK takes its addresses from it.

    Args:
        base: the host's address.
        hub: the task hub's name.
        key: the extension's system key, with which any orchestration can be started, ended or purged.
    """
    instance, query = f"{base}{HOOK}/instances/INSTANCEID", f"taskHub={hub}&connection=Storage&code={key}"
    start = f"{base}{HOOK}/orchestrators/{{functionName}}[/{{instanceId}}]"
    wait = "timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}"
    urls = {
        "id": "INSTANCEID",
        "statusQueryGetUri": f"{instance}?{query}",
        "sendEventPostUri": f"{instance}/raiseEvent/{{eventName}}?{query}",
        "terminatePostUri": f"{instance}/terminate?reason={{text}}&{query}",
        "rewindPostUri": f"{instance}/rewind?reason={{text}}&{query}",
        "purgeHistoryDeleteUri": f"{instance}?{query}",
        "restartPostUri": f"{instance}/restart?{query}",
        "suspendPostUri": f"{instance}/suspend?reason={{text}}&{query}",
        "resumePostUri": f"{instance}/resume?reason={{text}}&{query}",
    }
    return json.dumps(
        {
            "taskHubName": hub,
            "rpcBaseUrl": f"{base}{HOOK}/",
            "baseUrl": base + HOOK,
            "requiredQueryStringParameters": f"code={key}",
            "creationUrls": {
                "createNewInstancePostUri": f"{start}?code={key}",
                "createAndWaitOnNewInstancePostUri": f"{start}?{wait}&code={key}",
            },
            "managementUrls": urls,
        }
    )
