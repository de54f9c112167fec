"""Readable names for runs that were given none: a word of sun, sky and time, and a number."""

import random

_WORDS = (
    "analemma almanac aphelion apogee apsis aurora azimuth culmination dawn daybreak dusk ecliptic ephemeris epoch"
    " equator equinox evening gnomon heliacal horizon hour latitude longitude lumen meridian midday midnight moment"
    " morning nadir nodus noon noontide parallax penumbra perihelion season shadow sidereal solstice style sundial"
    " sunrise sunset syzygy terminator tropic twilight umbra vernal vigil zenith"
).split()
_MANNERS = (
    "able bold bright calm capable clean dazzling delicate fearless fortunate gentle gifted illustrious kindly nimble"
    " placid polite rare resilient selective serious shivering silent skillful smiling stately thoughtful tasteful"
    " traveling unique upbeat valuable wise youthful"
).split()
_MOST_IN_A_PAIR = 1_000


def run_name(number: int, *, rng: random.Random) -> str:
    """For example `meridian-12`."""
    return f"{rng.choice(_WORDS)}-{number}"


def pair_name(rng: random.Random) -> str:
    """For example `calm-meridian-12`, for clients that expect three parts; the number is any."""
    return f"{rng.choice(_MANNERS)}-{rng.choice(_WORDS)}-{rng.randrange(_MOST_IN_A_PAIR)}"
