"""WAV files, and the loudness of bands of frequencies."""

import wave

import numpy as np
import pytest

import chainrule as cr
from chainrule.data.sound import _mel
from chainrule.errors import DataError, DataTypeError, SettingError, ShapeError


def write(path, frames, *, width=2, channels=1, rate=8000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(frames)
    return path


@pytest.mark.parametrize(
    ("width", "frames"),
    [
        (1, np.array([128, 192, 64, 0], np.uint8).tobytes()),
        (2, np.array([0, 2**14, -(2**14), -(2**15)], "<i2").tobytes()),
        (3, b"\0\0\0" + b"\0\0\x40" + b"\0\0\xc0" + b"\0\0\x80"),
        (4, np.array([0, 2**30, -(2**30), -(2**31)], "<i4").tobytes()),
    ],
)
def test_samples_of_any_width_lie_between_minus_one_and_one(tmp_path, width, frames):
    samples, rate = cr.data.read_wav(write(tmp_path / "x.wav", frames, width=width))
    assert rate == 8000
    np.testing.assert_array_equal(samples, np.array([0, 0.5, -0.5, -1], np.float32))


def test_channels_are_averaged(tmp_path):
    frames = np.array([[2**14, 0], [2**13, 2**13]], "<i2").tobytes()
    samples, _ = cr.data.read_wav(write(tmp_path / "x.wav", frames, channels=2))
    assert samples.tolist() == [0.25, 0.25]


def test_a_tone_is_loudest_in_its_own_band():
    rate, bands = 8000, 32
    for hertz in (440, 1000, 2500):
        tone = np.sin(2 * np.pi * hertz * np.arange(rate) / rate)
        loudness = cr.data.sound_features(tone, rate, bands=bands)[:bands]
        assert loudness.argmax() == int(_mel(hertz) / _mel(rate / 2) * bands)


def test_a_sound_ten_times_as_loud_has_a_hundred_times_the_power():
    noise = np.random.default_rng(0).normal(size=4000)
    soft, loud = (cr.data.sound_features(volume * noise, 8000, bands=16) for volume in (1, 10))
    np.testing.assert_allclose(loud[:16] - soft[:16], 2, atol=1e-5)
    np.testing.assert_allclose(loud[16:], soft[16:], atol=1e-5)


def test_the_second_half_says_how_much_the_loudness_changes():
    rate = 8000
    steady = np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)
    beating = steady * (np.sin(2 * np.pi * 3 * np.arange(rate) / rate) > 0)
    band = cr.data.sound_features(steady, rate)[:32].argmax()
    assert cr.data.sound_features(steady, rate)[32 + band] < 0.01
    assert cr.data.sound_features(beating, rate)[32 + band] > 1


def test_silence_and_a_single_sample_are_sounds():
    assert cr.data.sound_features(np.zeros(100), 8000).tolist() == [-10.0] * 32 + [0.0] * 32
    assert np.isfinite(cr.data.sound_features([0.5], 8000)).all()


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a sound at all", b"RIFF\x24\0\0\0WAVEfmt "])
def test_what_is_no_wav_file_is_refused(tmp_path, content):
    path = tmp_path / "x.wav"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.wav: not a WAV file"):
        cr.data.read_wav(path)


def test_a_file_without_sound_is_refused(tmp_path):
    with pytest.raises(DataError, match="there is no sound"):
        cr.data.read_wav(write(tmp_path / "x.wav", b""))


def test_what_is_no_sound_is_refused():
    with pytest.raises(ShapeError, match="one channel"):
        cr.data.sound_features(np.zeros((2, 100)), 8000)
    with pytest.raises(DataError, match="at least one"):
        cr.data.sound_features([], 8000)
    with pytest.raises(DataTypeError):
        cr.data.sound_features(["a"], 8000)
    with pytest.raises(SettingError, match="bands"):
        cr.data.sound_features(np.zeros(100), 8000, bands=0)
