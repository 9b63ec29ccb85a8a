"""The emulator parses requests and validates them by botocore's model."""

import ast
import contextlib
import http.client
import json
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from provider.emulator import emulator as emulator_module
from provider.emulator.emulator import Emulator, RecordedRequest

ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/golden"
ENTRY: dict[str, Any] = {"region": "us-east-1", "amiDistributionConfiguration": {}}


class Answer(NamedTuple):
    status: int
    headers: Message
    content: Any


def exchange(emulator: Emulator, method: str, target: str, body: bytes | None = None) -> Answer:
    """Send one request without botocore, which would reject most of these requests."""
    with contextlib.closing(http.client.HTTPConnection(emulator.url.removeprefix("http://"))) as connection:
        connection.request(method, target, body)
        response = connection.getresponse()
        return Answer(response.status, response.headers, json.loads(response.read()))


def put(emulator: Emulator, operation: str, parameters: dict[str, Any]) -> Answer:
    return exchange(emulator, "PUT", f"/{operation}", json.dumps(parameters).encode())


def created(client: Any, **parameters: Any) -> Any:
    return client.create_distribution_configuration(**{"name": "golden", "distributions": [ENTRY], **parameters})


def test_records_each_request(emulator: Emulator, client: Any) -> None:
    """Every request is recorded in order with its operation, parameters by API names, and body."""
    created(client, clientToken="one")
    client.get_distribution_configuration(distributionConfigurationArn=ARN)
    client.untag_resource(resourceArn=ARN, tagKeys=["a b", "c+d=e:/@"])
    create, get, untag = emulator.requests
    parameters = {"name": "golden", "distributions": [ENTRY], "clientToken": "one"}
    sender = ("us-east-1", "123456789012", "emulator", "")
    assert create == RecordedRequest("CreateDistributionConfiguration", parameters, create.body, None, *sender)
    assert json.loads(create.body) == parameters
    assert (get.operation, get.parameters, get.body) == (
        "GetDistributionConfiguration",
        {"distributionConfigurationArn": ARN},
        b"",
    )
    assert untag.parameters == {"resourceArn": ARN, "tagKeys": ["a b", "c+d=e:/@"]}


def test_records_are_copies(emulator: Emulator, client: Any) -> None:
    """Changing recorded or returned values changes nothing in the emulator."""
    created(client, clientToken="one")
    emulator.requests[0].parameters["distributions"].clear()
    emulator.configurations[ARN]["distributions"].clear()
    assert emulator.configurations[ARN]["distributions"] == [ENTRY]
    assert created(client, clientToken="one")["distributionConfigurationArn"] == ARN


def test_request_ids_and_date(client: Any) -> None:
    """A response has a new request ID, the same in header and body, and a Date."""
    first, second = created(client), client.list_distribution_configurations()
    metadata = first["ResponseMetadata"]
    assert first["requestId"] == metadata["RequestId"] == metadata["HTTPHeaders"]["x-amzn-requestid"]
    assert first["requestId"] != second["requestId"]
    assert metadata["HTTPHeaders"]["date"].endswith("GMT")


def test_error_format(emulator: Emulator) -> None:
    """An error is a JSON message with the code in x-amzn-ErrorType and the request ID in header and body."""
    target = f"/GetDistributionConfiguration?distributionConfigurationArn={ARN}"
    status, headers, content = exchange(emulator, "GET", target)
    assert (status, headers["x-amzn-ErrorType"]) == (404, "ResourceNotFoundException")
    assert headers["Date"]
    assert content == {"requestId": headers["x-amzn-RequestId"], "message": content["message"]}
    assert ARN in content["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff"])
def test_invalid_bodies(emulator: Emulator, body: bytes) -> None:
    """A body that is not a JSON object is rejected as an invalid request, and recorded."""
    status, headers, _ = exchange(emulator, "PUT", "/UpdateDistributionConfiguration", body)
    assert (status, headers["x-amzn-ErrorType"]) == (400, "InvalidRequestException")
    sender = ("us-east-1", "123456789012", "", "")
    assert emulator.requests == [RecordedRequest("UpdateDistributionConfiguration", {}, body, None, *sender)]


def test_nulls_and_unknown_members(emulator: Emulator) -> None:
    """A null member counts as absent, and an unknown member is ignored."""
    parameters = {"name": "golden", "description": None, "distributions": [ENTRY], "clientToken": "t", "new": 1}
    assert put(emulator, "CreateDistributionConfiguration", parameters).status == 200
    assert "description" not in emulator.configurations[ARN]
    assert set(emulator.requests[0].parameters) == {"name", "distributions", "clientToken"}


def test_operations_that_are_not_emulated(emulator: Emulator, client: Any) -> None:
    """An operation that is not emulated returns an error with its name."""
    with pytest.raises(ClientError, match="does not support the operation GetImage") as caught:
        client.get_image(imageBuildVersionArn="arn:aws:imagebuilder:us-east-1:123456789012:image/some-image/1.0.0/1")
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"
    assert emulator.requests[0].operation == "GetImage"


def test_unknown_paths(emulator: Emulator) -> None:
    """An unknown path or method returns status 404 and is recorded."""
    for method, path in (("GET", "/CreateDistributionConfiguration"), ("PUT", "/")):
        status, headers, _ = exchange(emulator, method, f"{path}?x=1")
        assert (status, headers["x-amzn-ErrorType"]) == (404, "UnknownOperationException")
    assert [each.operation for each in emulator.requests] == ["GET /CreateDistributionConfiguration", "PUT /"]


def entry(**members: Any) -> list[dict[str, Any]]:
    return [{**ENTRY, **members}]


def ami(**members: Any) -> list[dict[str, Any]]:
    return entry(amiDistributionConfiguration=members)


VALUES = [
    ("description", {"description": ""}, "length of at least 1"),
    ("description", {"description": "x" * 1025}, "length of at most 1024"),
    ("clientToken", {"clientToken": "t" * 65}, "length of at most 64"),
    ("name", {"name": "golden\n"}, "must match pattern"),
    ("name", {"name": "gölden"}, "must match pattern"),
    ("tags", {"tags": {}}, "number of members of at least 1"),
    ("tags.aws:mine", {"tags": {"aws:mine": "x"}}, "must match pattern"),
    ("tags.not\u00a0ascii", {"tags": {"not\u00a0ascii": ""}}, "must match pattern"),
    ("tags.k", {"tags": {"k": "v" * 257}}, "length of at most 256"),
    (
        "distributions[0].amiDistributionConfiguration.targetAccountIds[1]",
        {"distributions": ami(targetAccountIds=["123456789012", "١٢٣٤٥٦٧٨٩٠١٢"])},
        "must match pattern",
    ),
    (
        "distributions[0].amiDistributionConfiguration.targetAccountIds",
        {"distributions": ami(targetAccountIds=["123456789012"] * 1537)},
        "at most 1536",
    ),
    (
        "distributions[0].s3ExportConfiguration.diskImageFormat",
        {"distributions": entry(s3ExportConfiguration={"roleName": "r", "diskImageFormat": "raw", "s3Bucket": "b"})},
        "must be one of VMDK, RAW, VHD",
    ),
    (
        "distributions[0].fastLaunchConfigurations[0].maxParallelLaunches",
        {"distributions": entry(fastLaunchConfigurations=[{"enabled": True, "maxParallelLaunches": 0}])},
        "must be at least 1",
    ),
    (
        "distributions[0].fastLaunchConfigurations[0].snapshotConfiguration.targetResourceCount",
        {
            "distributions": entry(
                fastLaunchConfigurations=[{"enabled": True, "snapshotConfiguration": {"targetResourceCount": 10001}}]
            )
        },
        "must be at most 10000",
    ),
]
FORMS = [
    ("name", {"name": 7}, "of type string"),
    ("distributions", {"distributions": ENTRY}, "of type list"),
    ("distributions[0]", {"distributions": ["us-east-1"]}, "of type structure"),
    ("distributions[0].region", {"distributions": [{"amiDistributionConfiguration": {}}]}, "must not be null"),
    ("tags", {"tags": [{"Key": "k", "Value": "v"}]}, "of type map"),
    ("tags.k", {"tags": {"k": True}}, "of type string"),
    (
        "distributions[0].fastLaunchConfigurations[0].enabled",
        {"distributions": entry(fastLaunchConfigurations=[{"enabled": "true"}])},
        "of type boolean",
    ),
    (
        "distributions[0].fastLaunchConfigurations[0].maxParallelLaunches",
        {"distributions": entry(fastLaunchConfigurations=[{"enabled": True, "maxParallelLaunches": True}])},
        "of type integer",
    ),
    (
        "distributions[0].fastLaunchConfigurations[0].maxParallelLaunches",
        {"distributions": entry(fastLaunchConfigurations=[{"enabled": True, "maxParallelLaunches": 2**31}])},
        "of type integer",
    ),
]


@pytest.mark.parametrize(
    ("code", "path", "parameters", "demand"),
    [("InvalidParameterValueException", *each) for each in VALUES]
    + [("InvalidRequestException", *each) for each in FORMS],
)
def test_validation_by_the_model(
    emulator: Emulator, code: str, path: str, parameters: dict[str, Any], demand: str
) -> None:
    """A value that the model does not allow is rejected at its path, even if botocore accepts it."""
    complete = {"name": "golden", "distributions": [ENTRY], "clientToken": "t", **parameters}
    status, headers, content = put(emulator, "CreateDistributionConfiguration", complete)
    assert (status, headers["x-amzn-ErrorType"]) == (400, code)
    assert content["message"].startswith(f"The value supplied for parameter '{path}' is not valid. '{path}' must")
    assert demand in content["message"]
    assert not emulator.configurations


def test_missing_client_token(emulator: Emulator) -> None:
    """A request without a client token, which botocore never sends, is rejected."""
    response = put(emulator, "CreateDistributionConfiguration", {"name": "golden", "distributions": [ENTRY]})
    assert (response.status, "'clientToken' must not be null" in response.content["message"]) == (400, True)


def test_error_code_of_tag_operations(emulator: Emulator) -> None:
    """The tag operations return InvalidParameterException, the only code for it in their model."""
    target = "/tags/" + quote(ARN, safe="")
    requests = [("POST", target, b'{"tags": {}}'), ("POST", target, b"{}"), ("DELETE", target, None)]
    for request in (*requests, ("DELETE", f"{target}?tagKeys=aws:mine", None), ("GET", "/tags/golden", None)):
        status, headers, _ = exchange(emulator, *request)
        assert (status, headers["x-amzn-ErrorType"]) == (400, "InvalidParameterException")


def test_independence_from_the_provider() -> None:
    """The emulator's modules import nothing from other packages of the provider."""
    room = Path(emulator_module.__file__).parent
    reached, waiting = set(), {"emulator"}
    while waiting:
        module = waiting.pop()
        reached.add(module)
        for node in ast.walk(ast.parse((room / f"{module}.py").read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert node.level == 1
                waiting |= {node.module or ""} - reached
            elif isinstance(node, ast.Import | ast.ImportFrom):
                assert "provider" not in ast.unparse(node)
    assert {"emulator", "server", "emulated_service", "wire", "constraints", "rejections", "faults"} <= reached
