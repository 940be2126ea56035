"""What the Discord front takes from the settings."""

from bot.catalogue import Language
from bot.layout import UpColour
from bot.options import DiscordOptions
from core.settings import load_settings


def test_without_a_token_there_is_no_discord() -> None:
    assert DiscordOptions.of(load_settings({})) is None


def test_settings_become_options_and_the_token_is_never_shown() -> None:
    options = DiscordOptions.of(
        load_settings(
            {
                "DISCORD_TOKEN": "very.secret.token",
                "DISCORD_GUILD_ID": "11",
                "DISCORD_CHANNEL_ID": "22",
                "DISCORD_OWNER_IDS": "33, 44",
                "PERPSCOUT_LANGUAGE": "zh-CN",
                "PERPSCOUT_UP_COLOUR": "red",
            }
        )
    )
    assert options is not None
    assert (options.guild_id, options.channel_id, options.owner_ids) == (11, 22, frozenset({33, 44}))
    assert (options.language, options.up, options.mode) == (Language.ZH_CN, UpColour.RED, "sim")
    assert options.token == "very.secret.token"
    assert "secret" not in repr(options)
