"""ICT/SMC: enter on the first return to a validated order block, with the trend, near liquidity."""

from strategies.ict_smc.parameters import IctSmcParameters
from strategies.ict_smc.strategy import IctSmc

__all__ = ["IctSmc", "IctSmcParameters"]
