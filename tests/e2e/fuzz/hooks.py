"""What schemathesis is told of this server: who asks, which identifiers there are, and what no schema can say.

Cases are made from the document alone, so their identifiers are well-formed and name nothing. Here most of them are
replaced by identifiers of the same kind that the server has told, so that what is tried reaches the code behind 404.
"""

import json
import os
import re
import zlib

import schemathesis
from personas import PERSONAS, Site

ID = re.compile(r"a[a-z]{2,4}_[0-7][0-9a-hjkmnp-tv-z]{25}")

# The scheme of the document that a header of a persona belongs to.
SCHEMES = {"X-Publishable-Key": "publishable_key", "Authorization": "session", "X-API-Key": "api_key"}

# What the document states in words, because no schema can: rules between members, and the rules of addresses and of
# free-form objects.
IN_WORDS = (
    "`env_id` names an environment of `app_id`",
    "`X-Authsome-Client-IP` takes one IP address",
    "exactly one of ",
    "give `role` or `roles`, not both",
    "either `token`, or `code` and `email` are needed",
    "is a term for what is trusted",
    "must be at most 10 headers",
    "names of letters, digits, hyphens and underscores, 64 at most",
    "what frames, routes or authenticates a request",
    "printable ASCII characters on one line",
    "cannot be combined with a cursor",
    "is empty, begins with `$`, or contains `.` or NUL",
    "does not fit 64 bits",
    "this type has ",
    "this type needs some",
    "not a number that this type admits",
    "is more than `max`",
    "which no request has room for",
    "is no answer to this",
    "a required checkbox has no default",
    "is the name of two fields",
    "is there twice",
    "`expires_at` says it",
    "and nothing beside `org_id`",
    "a team cannot make owners",
    "whoever is new chooses one",
    "a key of the environment has roles, and no other key",
    "of 1,024 characters together",
)

# Parameters of every operation, for operators.
ACTED_ON = ("AppId", "EnvId")

with open(os.environ["FUZZ_BOOTSTRAP"], encoding="utf-8") as file:
    site = Site(os.environ["FUZZ_BASE"], json.load(file))
persona = PERSONAS[os.environ["FUZZ_PERSONA"]](site)
known = {}
doubts = False


def remember(text):
    for found in ID.findall(text):
        kind = known.setdefault(found.partition("_")[0], {})
        kind[found] = None
        # The newest are likeliest to live still.
        if len(kind) > 40:
            del kind[next(iter(kind))]


def is_smoothed(value):
    """Whether to smooth a case: seldom it is left as it is, so that its refusal is seen too."""
    return zlib.crc32(repr(value).encode()) % 8 != 0


def real(value):
    """The same value, with most of the identifiers in it replaced by some that were told."""
    if isinstance(value, dict):
        return {name: real(member) for name, member in value.items()}
    if isinstance(value, list):
        return [real(item) for item in value]
    if not isinstance(value, str) or not ID.fullmatch(value):
        return value
    kind, choice = list(known.get(value.partition("_")[0], ())), zlib.crc32(value.encode())
    if not kind or not is_smoothed(value):
        return value
    # What was made together is named together: the newest team is one of the newest organization.
    return kind[-1] if choice % 3 else kind[choice % len(kind)]


def schemes_of(case):
    return {name for scheme in case.operation.definition.raw.get("security", []) for name in scheme}


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    """One JSON document a line: the body is the first of them, and the only one."""
    return {"data": json.dumps(value, default=str).encode()}


@schemathesis.auth(refresh_interval=None)
class Presented:
    def get(self, case, context):
        global doubts
        if doubts and not persona.is_in():
            persona.comes_back()
        doubts = False
        return persona.headers

    def set(self, case, headers, context):
        """Presents what the operation takes of what the persona has."""
        taken = schemes_of(case)
        shown = {name: value for name, value in headers.items() if SCHEMES[name] in taken}
        case.headers = {**(case.headers or {}), **shown}
        if persona.query and "session" in taken:
            case.query = {**(case.query or {}), **persona.query}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Leaves out whom operators act on, where sequences are tried.

    Nothing makes an app here, and a sequence never begins with an operation that takes what nothing makes. Operators
    present their app with every request.
    """
    if not os.environ.get("FUZZ_SEQUENCES"):
        return
    for item in raw_schema["paths"].values():
        for operation in item.values():
            parameters = operation.get("parameters", [])
            operation["parameters"] = [it for it in parameters if it.get("$ref", "").rpartition("/")[2] not in ACTED_ON]


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return real(path_parameters)


@schemathesis.hook
def map_query(context, query):
    """Without an environment of no app, which is refused wherever it is sent."""
    query = real(query)
    if isinstance(query, dict) and "app_id" not in query and is_smoothed(query):
        query.pop("env_id", None)
    return query


@schemathesis.hook
def map_headers(context, headers):
    """Without what is no address, which is refused wherever it is believed."""
    if isinstance(headers, dict) and is_smoothed(headers):
        headers.pop("X-Authsome-Client-IP", None)
    return headers


@schemathesis.hook
def map_body(context, body):
    return real(body)


@schemathesis.hook
def after_call(context, case, response):
    global doubts
    doubts = doubts or response.status_code in (401, 403)
    if response.status_code < 300:
        remember(response.content.decode("utf-8", "replace"))


def found_at(case, error):
    """What the case has where a problem points to (RFC 6901), or in the parameter that it names."""
    if "parameter" in error:
        return (case.query or {}).get(error["parameter"])
    here = case.body
    for step in error.get("pointer", "").split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        try:
            here = here[int(step)] if isinstance(here, list) else here[step]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return here


def is_closed(case):
    """Whether the schema of the body says that it has no other members; one that is answered too does not."""
    content = case.operation.definition.raw.get("requestBody", {}).get("content", {})
    name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    schemas = case.operation.schema.raw_schema["components"]["schemas"]
    return schemas.get(name, {}).get("additionalProperties") is False


def is_open(case, error):
    """Whether an unknown member is of an object whose schema does not say that it has no others."""
    is_within = error.get("pointer", "").count("/") > 1
    return error["type"] == "unknown_field" and (is_within or not is_closed(case))


def is_beyond_schemas(case, problem):
    """Whether a request that fits the schema is refused for what no schema says.

    An operation's own problem is that. Of the general ones it are the rules of texts (what hides, what is common,
    what is no address) and what is stated in words; numbers, flags, lists and names of members are the schema's.
    """
    kind, errors = problem.get("type"), problem.get("errors", [])
    errors = [error for error in errors if not is_open(case, error)]
    if kind == "unknown_field":
        return not errors
    if kind not in ("invalid_body", "invalid_query", "bad_request"):
        return kind not in ("duplicate_field", "malformed_json", "unsupported_media_type")
    told = [problem.get("detail", ""), *(error["detail"] for error in errors)]
    if any(rule in sentence for sentence in told for rule in IN_WORDS):
        return True
    if errors and all(error["type"] == "required" and error["pointer"] == "/roles" for error in errors):
        return True  # `role` or `roles`: which of them is the client's choice, so neither is required
    if errors and all(error.get("pointer", "").startswith("/metadata/") for error in errors):
        return True  # what an app asks is its own affair, and no schema's
    if "/settings/" in case.path and errors and all(error.get("pointer") == "/value" for error in errors):
        return True  # what a setting can be is told by the setting
    return bool(errors) and all(isinstance(found_at(case, error), str) for error in errors)


def left_out(value):
    """The names of the members, at any depth, that are null."""
    if isinstance(value, list):
        return set().union(*map(left_out, value))
    if not isinstance(value, dict):
        return set()
    here = {name for name, member in value.items() if member is None}
    return here.union(*map(left_out, value.values()))


def is_only_left_out(case, message):
    """Whether all that is wrong with a body is a member that is null, which is one that is left out."""
    wrong = re.findall(r"in body - (?:\w+ -> Array with invalid items: )?(\w+): Incorrect type", message)
    return bool(wrong) and left_out(case.body).issuperset(wrong)


def is_one_of_another(case, response):
    """Whether a method that the path does not have is one of another path: `create` is an identifier for that one."""
    steps = case.path.split("/")
    for path, item in case.operation.schema.raw_schema["paths"].items():
        others = path.split("/")
        fits = len(others) == len(steps) and all(it == step or it[:1] == "{" for it, step in zip(others, steps))
        if fits and path != case.path and response.request.method.lower() in item:
            return True
    return False


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether this is a finding; what is none is so for the reason given here."""
    problem = {}
    if "problem" in response.headers.get("content-type", [""])[0]:
        problem = response.json()
    kind = type(failure).__name__
    if kind == "RejectedPositiveData":
        return not is_beyond_schemas(case, problem)
    if kind == "UnsupportedMethodResponse":
        # A GET with a body is refused before anybody asks which path it is for; and what is no operation of
        # `/v1/orgs/check-slug` is one of `/v1/orgs/{org}`, where nothing has that identifier.
        return problem.get("type") != "ambiguous_framing" and not is_one_of_another(case, response)
    if kind == "UseAfterFree":
        # What is configured is a place: what was chosen there is gone, and the place answers.
        places = ("/settings/", "/session-config", "/client-config", "/branding")
        return not any(place in case.path for place in places)
    if kind == "AcceptedNegativeData":
        # Whatever cannot be made sense of is not active (RFC 7662 §2.2); what is wrong with a line is told of that line.
        tells = ("/v1/introspect", "/v1/admin/bulk/users/import")
        return case.path not in tells and not is_only_left_out(case, failure.message)
    if kind == "IgnoredAuth":
        # Who names no app is told so, with 400: there is nobody to be refused.
        return "got `400 Bad Request`" not in failure.message or "publishable_key" not in schemes_of(case)
    return True
