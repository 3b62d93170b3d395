"""The REST protocol, v1 and v1beta, as far as google-genai uses it for text, images, tokens and files."""

import json
import re
import secrets
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.frontdoor import Failure, FailurePlan, cut_connection, new_app
from sandbox.gemini import prompt as prompts
from sandbox.gemini.calls import Calls
from sandbox.gemini.files import Files
from sandbox.gemini.replies import compose

_MODEL = re.compile(r"gemini-[a-z0-9.-]{1,60}")
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def create(failures: FailurePlan, calls: Calls) -> Flask:
    """The Flask app."""
    app = new_app("gemini", failures)
    files = Files()

    @app.before_request
    def check_key() -> ResponseReturnValue | None:
        if not request.path.startswith(("/v1/", "/v1beta/", "/upload/v1")):
            return None
        key = request.headers.get("x-goog-api-key") or request.args.get("key") or ""
        if not key.startswith("sandbox"):
            return _error(400, "API key not valid. The sandbox takes keys that start with 'sandbox'.")
        return None

    @app.post("/<any('v1', 'v1beta'):version>/models/<model>:<method>")
    def model_call(version: str, model: str, method: str) -> ResponseReturnValue:
        body = request.get_json(force=True, silent=True)
        if not isinstance(body, dict):
            return _error(400, "Invalid JSON payload received.")
        if not _MODEL.fullmatch(model):
            return _error(404, f"models/{model} is not found for API version {version}.")
        prompt = prompts.read(model, body)
        if method == "countTokens":
            return jsonify(totalTokens=prompt.tokens)
        if method not in {"generateContent", "streamGenerateContent"}:
            return _error(404, f"{method} is not part of this sandbox.")
        failure = failures.take(request.path)
        status = failure.status if failure is not None and failure.status is not None else 200
        answer = compose(model, prompt, failure) if status < 400 else {}
        task = str(prompt.task.get("task", ""))
        usage = answer.get("usageMetadata")
        calls.add(method=method, model=model, task=task, status=status, request=body, usage=usage)
        if failure is not None and failure.lose_answer:
            cut_connection()
        if status >= 400:
            return _ordered(failure, status)
        if failure is not None and failure.kind == "broken":
            return Response("<html>Bad gateway", 200, mimetype="text/html")
        if method == "streamGenerateContent":
            return Response(_stream(answer), mimetype="text/event-stream")
        return jsonify(answer)

    @app.get("/<any('v1', 'v1beta'):version>/models/<model>")
    def show_model(version: str, model: str) -> ResponseReturnValue:
        if not _MODEL.fullmatch(model):
            return _error(404, f"models/{model} is not found for API version {version}.")
        return jsonify(name=f"models/{model}", displayName=f"Sandbox {model}", version="sandbox")

    @app.post("/upload/<any('v1', 'v1beta'):version>/files")
    def start_upload(version: str) -> ResponseReturnValue:
        token = files.start(request.get_json(force=True, silent=True) or {})
        url = f"{request.host_url}upload/put/{version}/{token}"
        return Response("{}", headers={"X-Goog-Upload-URL": url, "X-Goog-Upload-Status": "active"})

    @app.route("/upload/put/<version>/<token>", methods=["POST", "PUT"])
    def put_upload(version: str, token: str) -> ResponseReturnValue:
        made = files.finish(token, request.get_data(), f"{request.host_url}{version}")
        if made is None:
            return _error(404, "There is no such upload.")
        return Response(
            json.dumps({"file": made}), headers={"X-Goog-Upload-Status": "final"}, mimetype="application/json"
        )

    @app.route("/<any('v1', 'v1beta'):version>/files/<name>", methods=["GET", "DELETE"])
    def one_file(version: str, name: str) -> ResponseReturnValue:
        found = files.delete(name) if request.method == "DELETE" else files.get(name)
        return _error(404, f"There is no file {name} in {version}.") if found is None else jsonify(found)

    @app.route("/_sandbox/calls", methods=["GET", "DELETE"])
    def show_calls() -> ResponseReturnValue:
        if request.method == "DELETE":
            calls.clear()
            return "", 204
        return jsonify(calls=calls.all())

    @app.get("/")
    def index() -> str:
        return render_template("gemini_index.html", calls=calls.all()[:200])

    return app


def _stream(answer: dict[str, Any]) -> Iterator[str]:
    """The answer in two or three pieces; the finish reason and the usage come with the last."""
    parts = ((answer.get("candidates") or [{}])[0].get("content") or {}).get("parts") or []
    if len(parts) == 1 and "text" in parts[0]:
        text, usage = parts[0]["text"], answer["usageMetadata"]
        cut = max(1, len(text) // 3)
        pieces = [text[i : i + cut] for i in range(0, len(text), cut)] or [""]
        for piece in pieces[:-1]:
            content = {"role": "model", "parts": [{"text": piece}]}
            head = {"candidates": [{"index": 0, "content": content}], "modelVersion": answer["modelVersion"]}
            yield f"data: {json.dumps(head)}\r\n\r\n"
        last = dict(answer["candidates"][0])
        last["content"] = {"role": "model", "parts": [{"text": pieces[-1]}]}
        answer = {**answer, "candidates": [last], "usageMetadata": usage}
    yield f"data: {json.dumps(answer)}\r\n\r\n"


def _ordered(failure: Failure | None, status: int) -> ResponseReturnValue:
    if failure is not None and failure.kind == "garbage":
        return Response("<html>oops", status, mimetype="text/html")
    return _error(status, f"The sandbox was told to answer {status}.")


def _error(status: int, message: str) -> ResponseReturnValue:
    body: dict[str, Any] = {"code": status, "message": message, "status": _STATUS.get(status, "UNKNOWN")}
    if status == 429:
        retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{1 + secrets.randbelow(2)}s"}
        body["details"] = [retry]
    return jsonify(error=body), status
