"""/pause, /halt, /resume, /panic and /close: what owners may do to a running trader from chat.

Each wish carries the number of the interaction it came with, so that one delivered twice is obeyed once.
What moves money, or lets it move again, is asked back first; see ``bot.confirmation``.
"""

from discord import app_commands
from discord.ext import commands

from bot import numbers
from bot.catalogue import Language, text
from bot.confirmation import Wish, question
from bot.desk import Asked, Desk
from bot.embeds import heading_of
from bot.layout import escaped
from bot.translator import named
from core.operation import LONGEST_PAUSE_MINUTES, OperatorAction
from core.positions import Source
from core.views import PositionView, TraderView
from services.operator import Operator

_REASON_LIMIT = 200
_QUOTE_ASSET = "USDT"

Minutes = app_commands.Range[int, 1, LONGEST_PAUSE_MINUTES]
Words = app_commands.Range[str, 1, _REASON_LIMIT]


class SteeringCommands(commands.Cog):
    """What an owner may do; everybody else is refused, whatever they call themselves."""

    def __init__(self, desk: Desk, operator: Operator) -> None:
        self._desk = desk
        self._operator = operator

    @app_commands.command(name=named("command.pause.name"), description=named("command.pause.description"))
    @app_commands.rename(minutes=named("command.minutes.name"))
    @app_commands.describe(minutes=named("command.minutes.description"))
    async def pause(self, interaction: Asked, minutes: Minutes | None = None) -> None:
        if await self._desk.lets_steer(interaction):
            self._operator.pause(by(interaction), minutes=minutes, request_id=request_id(interaction.id))
            key = "steer.pause" if minutes is None else "steer.pause_for"
            await self._desk.tell(interaction, key, minutes=minutes)

    @app_commands.command(name=named("command.halt.name"), description=named("command.halt.description"))
    @app_commands.rename(reason=named("command.reason.name"))
    @app_commands.describe(reason=named("command.reason.description"))
    async def halt(self, interaction: Asked, reason: Words) -> None:
        if await self._desk.lets_steer(interaction):
            self._operator.halt(by(interaction), reason, request_id=request_id(interaction.id))
            await self._desk.tell(interaction, "steer.halt", reason=escaped(reason))

    @app_commands.command(name=named("command.resume.name"), description=named("command.resume.description"))
    async def resume(self, interaction: Asked) -> None:
        if await self._desk.lets_steer(interaction):
            await self._ask(interaction, Wish(action=OperatorAction.RESUME, asked=interaction.id))

    @app_commands.command(name=named("command.panic.name"), description=named("command.panic.description"))
    async def panic(self, interaction: Asked) -> None:
        if await self._desk.lets_steer(interaction):
            await self._ask(interaction, Wish(action=OperatorAction.PANIC, asked=interaction.id))

    @app_commands.command(name=named("command.close.name"), description=named("command.close.description"))
    @app_commands.rename(symbol=named("command.symbol.name"))
    @app_commands.describe(symbol=named("command.symbol.description"))
    async def close(self, interaction: Asked, symbol: Words) -> None:
        if not await self._desk.lets_steer(interaction):
            return
        held = _held(self._desk.read(), symbol)
        if held is None:
            await self._desk.tell(interaction, "steer.not_held", symbol=escaped(symbol.upper()))
            return
        plan = held.position.plan
        wish = Wish(action=OperatorAction.CLOSE, source=plan.source, symbol=plan.symbol, asked=interaction.id)
        await self._ask(interaction, wish)

    async def answered(self, interaction: Asked, wish: Wish, *, is_yes: bool) -> None:
        """Do what was asked back about, or not; rights, age and the state of things are looked at anew."""
        if not await self._desk.lets_steer(interaction):
            return
        language = self._desk.style_for(interaction).language
        hindrance = self._hindrance(wish, pressed=interaction.id, is_yes=is_yes)
        if not hindrance:
            self._obey(wish, by(interaction))
        words = text(hindrance or f"steer.{wish.action}", language, symbol=wish.symbol)
        await interaction.response.edit_message(content=words, view=None)

    async def _ask(self, interaction: Asked, wish: Wish) -> None:
        view, language = self._desk.read(), self._desk.style_for(interaction).language
        objection = _objection(wish, view)
        if objection:
            await self._desk.tell(interaction, objection)
            return
        words, buttons = question(wish, _describe(wish, view, language), language)
        await interaction.response.send_message(words, view=buttons, ephemeral=True)

    def _hindrance(self, wish: Wish, *, pressed: int, is_yes: bool) -> str:
        """Return the key of why it is not done after all, empty where it is to be done."""
        if not is_yes:
            return "steer.cancelled"
        if wish.is_expired(pressed):
            return "steer.expired"
        return _objection(wish, self._desk.read())

    def _obey(self, wish: Wish, who: str) -> None:
        identity = request_id(wish.asked)
        match wish.action:
            case OperatorAction.RESUME:
                self._operator.resume(who, request_id=identity)
            case OperatorAction.PANIC:
                self._operator.panic(who, request_id=identity)
            case OperatorAction.CLOSE:
                self._operator.close(who, wish.symbol, wish.source, request_id=identity)
            case _:
                raise ValueError(f"{wish.action} is never asked back")


def by(asked: Asked) -> str:
    """Name who asks in the journal: by number, because names can be copied."""
    return f"discord:{asked.user.id}"


def request_id(interaction_id: int) -> str:
    """Return what tells a wish from the same one delivered again."""
    return f"discord:{interaction_id}"


def _objection(wish: Wish, view: TraderView) -> str:
    """Return why there is nothing to do, empty where there is."""
    if wish.action is OperatorAction.RESUME and not view.halted:
        return "steer.not_halted"
    if wish.action is OperatorAction.CLOSE and _held(view, wish.symbol, wish.source) is None:
        return "steer.not_held"
    return ""


def _describe(wish: Wish, view: TraderView, language: Language) -> str:
    match wish.action:
        case OperatorAction.PANIC:
            return text("steer.ask_panic", language, count=len(view.real))
        case OperatorAction.RESUME:
            reason = escaped(text(f"reason.{view.halted}", language))
            return text("steer.ask_resume", language, reason=reason)
        case _:
            held = _held(view, wish.symbol, wish.source)
            return text(
                "steer.ask_close",
                language,
                position=heading_of(held.position, language) if held else wish.symbol,
                source=text(f"source.{wish.source}", language),
                pnl=numbers.signed_usdt(held.unrealised_pnl) if held else numbers.NOTHING,
            )


def _held(view: TraderView, symbol: str, source: Source | None = None) -> PositionView | None:
    """Find an open position by its symbol, real before virtual; the quote asset may be left out."""
    wanted = symbol.strip().upper()
    names = {wanted, wanted.removesuffix(_QUOTE_ASSET) + _QUOTE_ASSET}
    books = {Source.REAL: view.real, Source.VIRTUAL: view.virtual}
    asked = [held for each, book in books.items() if source in {None, each} for held in book]
    return next((held for held in asked if held.position.symbol in names), None)
