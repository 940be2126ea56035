"""A local Discord: enough of its REST and gateway for the unmodified discord.py to believe in it.

It records what a bot says, uses the bot's commands and buttons as people would, refuses what Discord
refuses, and can fail on demand: errors, rate limits, dropped connections, a revoked token.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import WSCloseCode, WSMsgType, web

from tests.fakes import discord_payloads as payloads
from tests.fakes.discord_payloads import EPHEMERAL, Asker, Json

TOKEN = "local.discord.token"
PATIENCE = 10.0  # seconds to wait for something the bot should do at once

_DISPATCH, _HEARTBEAT, _IDENTIFY, _RESUME, _RECONNECT = 0, 1, 2, 6, 7
_INVALID_SESSION, _HELLO, _HEARTBEAT_ACK = 9, 10, 11
_COMMAND, _BUTTON = 2, 3
_DEFER, _DEFER_UPDATE, _UPDATE = 5, 6, 7
_OPTION_TYPES = {str: 3, int: 4, bool: 5}
_A_SECOND = 1000 << 22  # by how much its numbers grow, as Discord's own do


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A message in a channel, with its attachments by name."""

    number: int
    channel_id: int
    body: Json
    files: Mapping[str, bytes]

    @property
    def embeds(self) -> list[Json]:
        return list(self.body.get("embeds") or [])


@dataclass(slots=True, kw_only=True)
class Answer:
    """What one interaction was answered with, and who could see it."""

    body: Json = field(default_factory=dict)
    was_deferred: bool = False
    is_ephemeral: bool = False
    replaced_message: bool = False
    interaction: Json = field(default_factory=dict)
    callbacks: int = 0

    @property
    def content(self) -> str:
        return self.body.get("content") or ""

    @property
    def embed(self) -> Json:
        embeds: list[Json] = self.body["embeds"]
        return embeds[0]

    @property
    def buttons(self) -> dict[str, Json]:
        """Buttons by label."""
        rows = self.body.get("components") or []
        return {button["label"]: button for row in rows for button in row["components"]}


@dataclass(slots=True, kw_only=True)
class Fault:
    """Answers the next ``times`` requests whose path contains ``path`` with ``status``."""

    status: int
    path: str
    times: int
    body: Json
    headers: Mapping[str, str]


class DiscordServer:
    """One server with one channel, one bot and any number of people. Use as an async context manager."""

    def __init__(self, *, token: str = TOKEN) -> None:
        self.token = token
        self.posted: list[Posted] = []
        self.commands: list[Json] = []
        self.syncs = 0
        self.identifies = 0
        self.resumes = 0
        self.requests: list[str] = []
        self._faults: list[Fault] = []
        self._answers: dict[str, Answer] = {}
        self._sockets: set[web.WebSocketResponse] = set()
        self._by_nonce: dict[str, Json] = {}
        self._last_number = 1000
        self._sequences: dict[web.WebSocketResponse, int] = defaultdict(int)
        self._change = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._port = 0

    # --- running ------------------------------------------------------------------------------------

    @property
    def rest(self) -> str:
        return f"http://127.0.0.1:{self._port}/api/v10"

    @property
    def gateway(self) -> str:
        return f"ws://127.0.0.1:{self._port}/gateway"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen on loopback; after ``stop``, on the same port again."""
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self.drop_gateway(WSCloseCode.GOING_AWAY)
        if self._runner is not None:
            await self._runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self._guard], client_max_size=30_000_000)
        api = "/api/v10"
        of_application = f"{api}/applications/{{application}}"
        application.add_routes(
            [
                web.get(f"{api}/users/@me", self._me),
                web.get(f"{api}/oauth2/applications/@me", self._application_info),
                web.put(f"{of_application}/guilds/{{guild}}/commands", self._sync),
                web.post(f"{api}/channels/{{channel}}/messages", self._post),
                web.post(f"{api}/interactions/{{interaction}}/{{token}}/callback", self._callback),
                web.post(f"{api}/webhooks/{{application}}/{{token}}", self._follow_up),
                web.get("/gateway", self._gateway),
            ]
        )
        return application

    # --- what people do -----------------------------------------------------------------------------

    async def slash(self, name: str, *, asker: Asker | None = None, **options: Any) -> Answer:
        """Use a slash command and wait for its answer."""
        asker = asker or Asker()
        data: Json = {
            "id": next((each["id"] for each in self.commands if each["name"] == name), "0"),
            "name": name,
            "type": 1,
            "options": [
                {"name": key, "type": _OPTION_TYPES[type(value)], "value": value}
                for key, value in options.items()
            ],
        }
        if asker.guild_id is not None:
            data["guild_id"] = str(asker.guild_id)
        return await self._interact(_COMMAND, data, asker=asker)

    async def press(self, answer: Answer, label: str, *, asker: Asker | None = None) -> Answer:
        """Press a button of an earlier answer and wait for what comes of it."""
        data = {"component_type": 2, "custom_id": answer.buttons[label]["custom_id"], "id": 2}
        shown = payloads.message(self._number(), payloads.CHANNEL_ID, answer.body)
        return await self._interact(_BUTTON, data, asker=asker or Asker(), message=shown)

    async def deliver_again(self, answer: Answer) -> None:
        """Deliver an interaction once more, as a resumed gateway may, and wait for the answer."""
        seen = answer.callbacks
        await self._dispatch("INTERACTION_CREATE", answer.interaction)
        await self.until(lambda: answer.callbacks > seen)

    def pass_time(self, seconds: int) -> None:
        """Let the numbers of what comes next say that this much later it is."""
        self._last_number += seconds * _A_SECOND

    async def until(self, happened: Callable[[], bool], *, patience: float = PATIENCE) -> None:
        """Wait until something is true of what this server has seen; raises ``TimeoutError``."""
        async with asyncio.timeout(patience):
            while not happened():
                await self._change.wait()

    async def _interact(self, kind: int, data: Json, *, asker: Asker, message: Json | None = None) -> Answer:
        number = self._number()
        token = f"interaction-{number}"
        answer = self._answers[token] = Answer()
        body = payloads.interaction(number, token, kind=kind, asker=asker, data=data)
        answer.interaction = body | ({"message": message} if message else {})
        await self._dispatch("INTERACTION_CREATE", answer.interaction)
        await self.until(lambda: bool(answer.body))
        return answer

    @property
    def is_idle(self) -> bool:
        """Whether nobody is connected to the gateway."""
        return not self._sockets

    # --- what goes wrong ----------------------------------------------------------------------------

    def fail(self, status: int, *, path: str = "", times: int = 1) -> None:
        """Refuse the next requests to ``path`` with an HTTP status."""
        self._faults.append(
            Fault(status=status, path=path, times=times, body={"message": "down", "code": 0}, headers={})
        )

    def limit(self, *, retry_after: float, path: str = "", times: int = 1) -> None:
        """Rate-limit the next requests to ``path``, in the way discord.py recognises as Discord's own."""
        body = {"message": "You are being rate limited.", "retry_after": retry_after, "global": False}
        headers = {"Via": "1.1 google", "Retry-After": str(retry_after)}
        self._faults.append(Fault(status=429, path=path, times=times, body=body, headers=headers))

    async def drop_gateway(self, code: int = 4000) -> None:
        """Close every gateway connection; 4000 may be resumed, 4004 says that the token is no longer good."""
        for socket in list(self._sockets):
            await socket.close(code=code)

    async def ready_again(self) -> None:
        """Say READY a second time, as Discord does after a session could not be resumed."""
        await self._dispatch("READY", payloads.ready("again", self.gateway))
        await self._dispatch("GUILD_CREATE", payloads.guild())

    # --- REST ---------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Play scripted faults, then check the token wherever Discord does."""
        if request.path == "/gateway":
            return await handler(request)
        self.requests.append(f"{request.method} {request.path}")
        for fault in self._faults:
            if fault.times and fault.path in request.path:
                fault.times -= 1
                self._changed()
                return _json(fault.body, status=fault.status, headers=fault.headers)
        needs_token = "/interactions/" not in request.path and "/webhooks/" not in request.path
        if needs_token and request.headers.get("Authorization") != f"Bot {self.token}":
            return _json({"message": "401: Unauthorized", "code": 0}, status=401)
        return await handler(request)

    async def _me(self, _: web.Request) -> web.Response:
        return _json(payloads.BOT_USER)

    async def _application_info(self, _: web.Request) -> web.Response:
        return _json(payloads.application())

    async def _sync(self, request: web.Request) -> web.Response:
        commands: list[Json] = await request.json()
        refusals = payloads.refusals_of_commands(commands)
        if refusals:
            return _invalid(refusals)
        place = {"application_id": request.match_info["application"], "guild_id": request.match_info["guild"]}
        self.commands = [
            {**command, **place, "id": str(5000 + index), "version": "1", "default_member_permissions": None}
            for index, command in enumerate(commands)
        ]
        self.syncs += 1
        self._changed()
        return _json(self.commands)

    async def _post(self, request: web.Request) -> web.Response:
        body, files = await _body_and_files(request)
        refusals = payloads.refusals_of_message(body)
        if refusals:
            return _invalid(refusals)
        nonce = str(body.get("nonce"))
        if body.get("enforce_nonce") and nonce in self._by_nonce:
            return _json(self._by_nonce[nonce])
        number, channel_id = self._number(), int(request.match_info["channel"])
        self.posted.append(Posted(number=number, channel_id=channel_id, body=body, files=files))
        self._by_nonce[nonce] = payloads.message(number, channel_id, body)
        self._changed()
        return _json(self._by_nonce[nonce])

    async def _callback(self, request: web.Request) -> web.Response:
        body, _ = await _body_and_files(request)
        answer, kind, data = self._answers[request.match_info["token"]], body["type"], body.get("data") or {}
        refusals = [] if kind in {_DEFER, _DEFER_UPDATE} else payloads.refusals_of_message(data)
        if refusals:
            return _invalid(refusals)
        answer.callbacks += 1
        answer.is_ephemeral = bool((data.get("flags") or 0) & EPHEMERAL)
        answer.was_deferred = kind == _DEFER
        answer.replaced_message = kind == _UPDATE
        if kind not in {_DEFER, _DEFER_UPDATE}:
            answer.body = data
        self._changed()
        shown = payloads.message(self._number(), payloads.CHANNEL_ID, data)
        number = request.match_info["interaction"]
        return _json(
            {
                "interaction": {"id": number, "type": 2, "response_message_id": shown["id"]},
                "resource": {"type": kind, "message": shown},
            }
        )

    async def _follow_up(self, request: web.Request) -> web.Response:
        body, _ = await _body_and_files(request)
        refusals = payloads.refusals_of_message(body)
        if refusals:
            return _invalid(refusals)
        self._answers[request.match_info["token"]].body = body
        self._changed()
        return _json(payloads.message(self._number(), payloads.CHANNEL_ID, body))

    # --- gateway ------------------------------------------------------------------------------------

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        await socket.send_json({"op": _HELLO, "d": {"heartbeat_interval": 41_250}})
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._receive(socket, json.loads(frame.data))
        finally:
            self._sockets.discard(socket)
            self._changed()
        return socket

    async def _receive(self, socket: web.WebSocketResponse, frame: Json) -> None:
        if frame["op"] == _HEARTBEAT:
            await socket.send_json({"op": _HEARTBEAT_ACK})
            return
        if frame["op"] not in {_IDENTIFY, _RESUME}:
            return
        if frame["d"]["token"] != self.token:
            await socket.close(code=4004, message=b"Authentication failed.")
            return
        if frame["op"] == _RESUME:
            self.resumes += 1
            await self._send(socket, "RESUMED", {})
        else:
            self.identifies += 1
            await self._send(socket, "READY", payloads.ready("first", self.gateway))
            await self._send(socket, "GUILD_CREATE", payloads.guild())
        self._changed()

    async def _dispatch(self, event: str, body: Json) -> None:
        for socket in list(self._sockets):
            await self._send(socket, event, body)

    async def _send(self, socket: web.WebSocketResponse, event: str, body: Json) -> None:
        self._sequences[socket] += 1
        await socket.send_json({"op": _DISPATCH, "t": event, "s": self._sequences[socket], "d": body})

    # --- small things -------------------------------------------------------------------------------

    def _number(self) -> int:
        self._last_number += 1
        return self._last_number

    def _changed(self) -> None:
        self._change.set()
        self._change = asyncio.Event()


def _json(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with exactly ``application/json``: with a charset, discord.py would take it for text."""
    return web.Response(
        body=json.dumps(body).encode(), status=status, headers=headers, content_type="application/json"
    )


def _invalid(refusals: list[str]) -> web.Response:
    return _json({"code": 50035, "message": f"Invalid Form Body: {'; '.join(refusals)}"}, status=400)


async def _body_and_files(request: web.Request) -> tuple[Json, dict[str, bytes]]:
    """Read JSON, or a form with ``payload_json`` and files."""
    if request.content_type == "application/json":
        return await request.json(), {}
    form = await request.post()
    files = {part.filename: part.file.read() for part in form.values() if isinstance(part, web.FileField)}
    body: Json = json.loads(str(form["payload_json"]))
    return body, files
