"""What Discord puts on the wire, as far as discord.py reads it, and what Discord refuses to take."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

APPLICATION_ID = 900
GUILD_ID = 100
CHANNEL_ID = 200
OWNER_ID = 300
TIMESTAMP = "2025-11-26T00:00:00+00:00"
EPHEMERAL = 64

_NAME = re.compile(r"[-_\w]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who uses a command, where, and in which language their client runs."""

    user_id: int = OWNER_ID
    name: str = "owner"
    locale: str = "en-US"
    guild_id: int | None = GUILD_ID
    channel_id: int = CHANNEL_ID


def user(user_id: int, name: str, *, is_bot: bool = False) -> Json:
    return {
        "id": str(user_id),
        "username": name,
        "discriminator": "0",
        "avatar": None,
        "global_name": None,
        "bot": is_bot,
    }


BOT_USER = user(APPLICATION_ID, "perpscout", is_bot=True)


def application() -> Json:
    return {
        "id": str(APPLICATION_ID),
        "name": "perpscout",
        "icon": None,
        "description": "",
        "summary": "",
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": 0,
        "owner": user(OWNER_ID, "owner"),
        "team": None,
    }


def ready(session_id: str, resume_url: str) -> Json:
    return {
        "v": 10,
        "user": BOT_USER,
        "guilds": [{"id": str(GUILD_ID), "unavailable": True}],
        "session_id": session_id,
        "resume_gateway_url": resume_url,
        "application": {"id": str(APPLICATION_ID), "flags": 0},
    }


def guild() -> Json:
    everyone = {
        "id": str(GUILD_ID),
        "name": "@everyone",
        "color": 0,
        "hoist": False,
        "position": 0,
        "permissions": "0",
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
    return {
        "id": str(GUILD_ID),
        "name": "desk",
        "icon": None,
        "owner_id": str(OWNER_ID),
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "roles": [everyone],
        "emojis": [],
        "features": [],
        "mfa_level": 0,
        "system_channel_flags": 0,
        "premium_tier": 0,
        "preferred_locale": "en-US",
        "nsfw_level": 0,
        "stickers": [],
        "members": [_member(BOT_USER)],
        "channels": [channel()],
        "threads": [],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
        "member_count": 2,
        "large": False,
    }


def channel(channel_id: int = CHANNEL_ID) -> Json:
    return {
        "id": str(channel_id),
        "type": 0,
        "guild_id": str(GUILD_ID),
        "name": "trades",
        "position": 0,
        "permission_overwrites": [],
        "parent_id": None,
        "nsfw": False,
        "topic": None,
        "last_message_id": None,
        "rate_limit_per_user": 0,
    }


def interaction(number: int, token: str, *, kind: int, asker: Asker, data: Json) -> Json:
    """Build INTERACTION_CREATE's body; without a guild it is a direct message."""
    who = user(asker.user_id, asker.name)
    place: Json = {"user": who, "channel": {"id": str(CHANNEL_ID), "type": 1, "recipients": []}, "context": 1}
    if asker.guild_id is not None:
        place = {
            "member": _member(who),
            "guild_id": str(asker.guild_id),
            "guild": {"id": str(asker.guild_id), "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "channel": channel(asker.channel_id),
            "context": 0,
        }
    return {
        "id": str(number),
        "application_id": str(APPLICATION_ID),
        "type": kind,
        "token": token,
        "version": 1,
        "channel_id": str(asker.channel_id),
        "locale": asker.locale,
        "app_permissions": "0",
        "entitlements": [],
        "authorizing_integration_owners": {"0": str(asker.guild_id or 0)},
        "attachment_size_limit": 10_485_760,
        "data": data,
        **place,
    }


def message(number: int, channel_id: int, body: Mapping[str, Any]) -> Json:
    """Build the message object that Discord returns for one that was sent."""
    return {
        "id": str(number),
        "channel_id": str(channel_id),
        "type": 0,
        "content": body.get("content") or "",
        "author": BOT_USER,
        "attachments": [],
        "embeds": body.get("embeds") or [],
        "components": [_numbered(each) for each in body.get("components") or []],
        "flags": body.get("flags") or 0,
        "nonce": body.get("nonce"),
        "mentions": [],
        "mention_roles": [],
        "mention_everyone": False,
        "pinned": False,
        "tts": False,
        "timestamp": TIMESTAMP,
        "edited_timestamp": None,
    }


def refusals_of_message(body: Mapping[str, Any]) -> list[str]:
    """Return what Discord would not take of a message."""
    embeds: Sequence[Json] = body.get("embeds") or []
    refusals = [refusal for embed in embeds for refusal in _refusals_of_embed(embed)]
    checks = (
        (len(embeds) > 10, "embeds: more than 10"),
        (sum(map(embed_length, embeds)) > 6000, "embeds: more than 6000 characters together"),
        (len(body.get("content") or "") > 2000, "content: more than 2000 characters"),
        (not (embeds or body.get("content") or body.get("attachments")), "message: empty"),
    )
    return refusals + [refusal for is_broken, refusal in checks if is_broken]


def refusals_of_commands(commands: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what Discord would not take of a list of commands, options and translations included."""
    refusals = [] if len({each["name"] for each in commands}) == len(commands) else ["names: not unique"]
    for command in commands:
        for part in (command, *command.get("options", ())):
            names = (part["name"], *(part.get("name_localizations") or {}).values())
            words = (part["description"], *(part.get("description_localizations") or {}).values())
            refusals += [
                f"name: {name}" for name in names if not _NAME.fullmatch(name) or name != name.lower()
            ]
            refusals += [f"description: {each}" for each in words if not 1 <= len(each) <= 100]
    return refusals


def embed_length(embed: Mapping[str, Any]) -> int:
    fields = embed.get("fields") or []
    parts = [embed.get("title"), embed.get("description"), (embed.get("footer") or {}).get("text")]
    parts += [field[part] for field in fields for part in ("name", "value")]
    return sum(len(part) for part in parts if part)


def _refusals_of_embed(embed: Mapping[str, Any]) -> list[str]:
    fields = embed.get("fields") or []
    checks = [
        (len(embed.get("title") or "") > 256, "title: more than 256"),
        (len(embed.get("description") or "") > 4096, "description: more than 4096"),
        (len((embed.get("footer") or {}).get("text") or "") > 2048, "footer: more than 2048"),
        (len(fields) > 25, "fields: more than 25"),
    ]
    for field in fields:
        checks += [
            (not 1 <= len(field["name"].strip()) <= 256, "field name: empty or more than 256"),
            (not 1 <= len(field["value"].strip()) <= 1024, "field value: empty or more than 1024"),
        ]
    return [refusal for is_broken, refusal in checks if is_broken]


def _member(who: Json) -> Json:
    return {
        "user": who,
        "roles": [],
        "joined_at": TIMESTAMP,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "permissions": "2147483647",
    }


def _numbered(row: Mapping[str, Any]) -> Json:
    """Give components the ids that Discord gives them."""
    buttons = [{**each, "id": index + 2} for index, each in enumerate(row.get("components", ()))]
    return {**row, "id": 1, "components": buttons}
