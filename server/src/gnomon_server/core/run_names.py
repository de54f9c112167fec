"""Readable names for runs that were given none: a word of sun, sky and time, and the run's number."""

import random

_WORDS = (
    "analemma almanac aphelion apogee apsis aurora azimuth culmination dawn daybreak dusk ecliptic ephemeris epoch"
    " equator equinox evening gnomon heliacal horizon hour latitude longitude lumen meridian midday midnight moment"
    " morning nadir nodus noon noontide parallax penumbra perihelion season shadow sidereal solstice style sundial"
    " sunrise sunset syzygy terminator tropic twilight umbra vernal vigil zenith"
).split()


def run_name(number: int, *, rng: random.Random) -> str:
    """For example `meridian-12`."""
    return f"{rng.choice(_WORDS)}-{number}"
