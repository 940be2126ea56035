"""Names and descriptions of commands, as Discord shows them to readers of each language."""

from discord import Locale, app_commands

from bot.catalogue import Language, text

_LANGUAGES = {Locale.taiwan_chinese: Language.ZH_TW, Locale.chinese: Language.ZH_CN}


def named(key: str) -> app_commands.locale_str:
    """Return the English words of ``key``, which the translator knows how to translate."""
    return app_commands.locale_str(text(key, Language.EN), key=key)


class CatalogueTranslator(app_commands.Translator):
    """Answers from our catalogues; languages without one see English."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: Locale,
        context: app_commands.TranslationContextTypes,  # noqa: ARG002 - discord.py's signature
    ) -> str | None:
        language, key = _LANGUAGES.get(locale), string.extras.get("key")
        return text(key, language) if language and key else None
